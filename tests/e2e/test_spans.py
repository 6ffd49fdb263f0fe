"""Tests of data with spans: only the new span is read, drift stops the run, and training uses both spans."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FEW = 30  # images of a label in a span


@pytest.fixture(scope="module")
def days(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Day 1 has the same number of images of three digits. Day 2 has few images of one digit."""
    folder = tmp_path_factory.mktemp("days")
    for day, counts in (("day-1", (FEW, FEW, FEW)), ("day-2", (2 * FEW, 2 * FEW, 10))):
        for label, count in zip("012", counts, strict=True):
            (folder / day / label).mkdir(parents=True)
            for file in sorted((digits / label).iterdir())[-count:]:
                shutil.copy(file, folder / day / label / f"{day}-{file.name}")
    return folder


def test_training_uses_the_second_span_and_the_first(efficientmixnet, small_config, days, tmp_path, summary):
    output = tmp_path / "runs"
    keys = (
        f"data.images={days}/day-{{SPAN}}",
        "data.splits={train: 0.6, eval: 0.4}",
        "evaluation.thresholds={accuracy: 0.0}",
        "evaluation.tolerances={accuracy: 1.0}",
        "training.epochs=1",
    )
    run = ["run", small_config, "--output", output, *(part for key in keys for part in ("--set", key))]

    first = efficientmixnet(*run, "--set", "data.layout.span=1")
    assert first.returncode == 0, first.stderr
    assert summary(output)["images"]["read"] == 3 * FEW

    drifting = efficientmixnet(*run, "--set", "data.drift={image/class/text: 0.1}")
    assert drifting.returncode == 2
    assert "the data has changed: image/class/text differs by 0." in drifting.stderr
    assert "from the previous data, more than 0.1 (data.drift)" in drifting.stderr

    both = efficientmixnet(*run, "--set", "data.training_spans=2")
    assert both.returncode == 0, both.stderr
    ended = summary(output)
    assert ended["images"]["read"] == 4 * FEW + 10  # only the second span
    assert ended["cached"][:2] == ["ImageExampleGen", "StatisticsGen"]
    counts = [json.loads(file.read_text())["train"] for file in output.glob("artifacts/ImageExampleGen/*/*/class_c*")]
    assert len(counts) == 2
    learned = sum(sum(one.values()) for one in counts)
    (progress,) = [line for line in both.stdout.splitlines() if line.startswith("Trainer ")]
    assert progress.endswith(f"{learned - learned % 32} images")
