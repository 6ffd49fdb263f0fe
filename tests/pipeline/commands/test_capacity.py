"""Tests of `efficientmixnet plan`, with values that were computed by hand."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.commands.capacity import Plan, Rates, count, duration, size
from efficientmixnet.pipeline.commands.data_commands import time_in_words

RATES = {
    "cores": 2,
    "mean_bytes": 100_000,
    "ingested_bytes": 1.1,
    "transformed_mean_bytes": 20_000,
    "stages": {
        "ImageExampleGen": {"fixed_seconds": 2, "images_a_second": 200, "peak_memory": 10**9},
        "Transform": {"fixed_seconds": 8, "images_a_second": 100, "peak_memory": 10**9},
    },
}


def _plan(images: int = 100_000, mean_bytes: float = 50_000) -> Plan:
    return Plan(images, mean_bytes, Rates.model_validate(RATES), training_rate=400, epochs=10, train_fraction=0.8)


def test_time_and_disk_space_follow_the_size_of_the_images() -> None:
    ingest, transform, trainer = _plan().rows()
    # Images of half the size take half the time.
    assert (ingest.seconds, transform.seconds) == (2 + 250, 8 + 500)
    assert ingest.disk == pytest.approx(5.5e9)
    assert transform.disk == pytest.approx(1e9)
    assert trainer.seconds == 10 * 100_000 * 0.8 / 400


def test_transformed_images_do_not_grow_with_the_originals() -> None:
    assert _plan(mean_bytes=10**6).rows()[1].disk == _plan(mean_bytes=10**5).rows()[1].disk == 2e9


def test_memory_grows_only_with_the_number_of_names() -> None:
    small, large = (_plan(images).rows()[0].memory for images in (0, 1_000_000))
    assert large - small == 1e9
    assert _plan(10**6).rows()[1].memory == _plan(10).rows()[1].memory


def test_workers_divide_all_but_the_constant_time() -> None:
    assert _plan().data_seconds(1) == 760
    assert _plan().data_seconds(10) == 10 + 75


def test_a_deadline_gives_the_fewest_workers_for_each_number_of_devices() -> None:
    # Two devices train for 1000 s. 1300 - 1000 - 10 leaves 290 s, in which three workers do 750 s of work.
    assert next(iter(_plan().ways(1300))) == (2, 3, 10 + 250 + 1000)
    assert all(took <= 1300 for _, _, took in _plan().ways(1300))
    assert list(_plan().ways(15)) == []


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (count, "5000", 5000),
        (count, "1.28M", 1_280_000),
        (count, "1B", 10**9),
        (size, "110KB", 110_000),
        (size, "2.5 MB", 2_500_000),
        (duration, "90m", 5400),
        (duration, "24h", 86400),
    ],
)
def test_numbers_with_units_are_parsed(read: object, text: str, value: float) -> None:
    assert read(text) == pytest.approx(value)  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "many", "-5", "0", "3 parsecs", "inf", "1e400"])
def test_a_bad_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="give"):
        count(text)


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (119, "119 s"), (150, "2.5 min"), (7199, "120 min"), (10**5, "28 h")]
)
def test_durations_have_a_unit(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


def test_plan_prints_every_component_and_the_machines_that_meet_the_deadline(tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    rates.write_text(json.dumps(RATES))
    words = ["--images", "100k", "--mean-size", "50kB", "--epochs", "10", "--training-rate", "400"]
    result = CliRunner().invoke(main, ["plan", *words, "--deadline", "1300s", "--rates", str(rates)])
    assert result.exit_code == 0, result.output
    assert "ImageExampleGen  4.2 min  5.5 GB  1.1 GB" in result.output
    assert "training devices: 2     Beam workers: 3     21 min" in result.output


def test_a_file_without_rates_is_refused(tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    rates.write_text("{}")
    result = CliRunner().invoke(main, ["plan", "--images", "5", "--rates", str(rates)])
    assert result.exit_code == 2
    assert "has no rates; `python benchmarks/data_path.py --rates" in result.output


def test_an_impossible_deadline_is_refused() -> None:
    result = CliRunner().invoke(main, ["plan", "--images", "1B", "--deadline", "1m"])
    assert result.exit_code == 2
    assert "no number of devices meets it" in result.output
