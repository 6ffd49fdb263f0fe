"""The epochs fill the time that a budget leaves, and the schedule follows them."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from budget_job import CUSTOM, OneDevice, job_for

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training import budget
from efficientmixnet.modules.training.budget import enough_epochs, epochs_within, with_epochs, within_budget
from efficientmixnet.modules.training.measure_network import Speed
from efficientmixnet.modules.training.training_job import TrainingJob, train


def test_few_images_are_seen_more_often(records: str, tmp_path: Path) -> None:
    job = job_for(records, tmp_path, CUSTOM, budget="1m")
    assert enough_epochs(job, OneDevice()) == (2500, 25000)  # 400,000 images of 160  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("head_epoch", "head_epochs", "epochs"),
    [
        (None, None, 9),  # 10 + 9 x 10 = 100
        (2.0, 0, 9),
        (2.0, 1, 9),  # a tenth epoch: 10 + 9 x 10 + 2 = 102
        (2.0, None, 10),  # two of ten train only the classifier: 10 + 8 x 10 + 2 x 2 = 94
        (12.0, None, 9),  # measured too slow
    ],
)
def test_epochs_that_train_only_the_classifier_leave_time_for_more(
    head_epoch: float | None, head_epochs: int | None, epochs: int
) -> None:
    assert epochs_within(100.0, Speed(10.0, 10.0, head_epoch), head_epochs) == epochs


def test_there_is_no_epoch_within_the_time_of_the_start() -> None:
    assert epochs_within(5.0, Speed(10.0, 1.0, 0.5)) == 0


def test_the_epochs_fill_the_time_that_is_left(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All other networks have time for too few epochs. 0.97 of 10,000 s, less 50 s, are 48 epochs of 200 s."""

    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        return Speed(50.0, 200.0 if job.config.network.width == 0.25 else 20_000.0)

    monkeypatch.setattr(budget, "measure_network", measure)
    monkeypatch.setattr(budget, "_ENOUGH", {False: (20, 0)})
    config = within_budget(job_for(records, tmp_path, {"image_size": 32}, budget="10000s"), OneDevice())  # type: ignore[arg-type]
    assert (config.network.width, config.network.depth, config.training.epochs) == (0.25, 1.0, 48)
    out = capsys.readouterr().out
    assert "training.budget: 10000s: tiny, 48 epochs; the largest measured network with time for 20 epochs" in out
    assert "small: " in out


def test_a_budget_that_is_too_short_is_refused(records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "measure_network", lambda *_: Speed(1.0, 500.0))
    why = r"5m is not enough for one epoch of tiny: the measurements took \d+ s, the start takes 1 s and an epoch 500 s"
    with pytest.raises(BadInput, match=f"{why}; give more time"):
        within_budget(job_for(records, tmp_path, {"image_size": 32}, budget="5m"), OneDevice())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tuning",
    [
        {"fine_tuning": {"freeze_until": "stage5"}},  # of seven in B0 to B7; the small networks have four
        {"fine_tuning": {"head_epochs": 10}},  # the default of training.epochs, which a budget does not use
        {"schedule": {"warmup_epochs": 8}},
    ],
    ids=str,
)
def test_fine_tuning_within_a_budget_is_checked_against_its_networks_and_epochs(tuning: dict[str, Any]) -> None:
    given = {"network": {"weights": "imagenet"}, "training": {"budget": "10m", **tuning}}
    config = ModelConfig.model_validate(given)
    assert config.network.variant == "auto"
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config
    for epochs in (1, 2, 30):
        left = with_epochs(config, epochs)
        assert left.training.schedule.warmup_epochs < epochs - left.head_epochs


@pytest.mark.slow
def test_a_training_ends_within_its_budget_and_keeps_the_choice(records: str, tmp_path: Path) -> None:
    job = job_for(records, tmp_path, CUSTOM, budget="2m")
    start = time.monotonic()
    trained = train(job)
    assert 60 < time.monotonic() - start < 150  # other programs may slow the machine down
    epochs = trained.job.config.training.epochs
    assert 1 <= epochs == len(trained.checkpoint.history)
    content = json.loads((tmp_path / "budget.json").read_text())
    assert content["considered"][0]["name"] == "custom"
    assert content["config"]["training"]["epochs"] == epochs
    assert content["config"]["training"]["schedule"]["warmup_epochs"] <= epochs / 10
    again = within_budget(job, OneDevice())  # type: ignore[arg-type]
    assert again.training.epochs == epochs
