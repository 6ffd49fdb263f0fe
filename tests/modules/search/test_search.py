"""A search tries values of its space, resumes after a kill, and finds the best trial."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import SearchConfig, found_values, with_values
from efficientmixnet.modules.data.memory_cache import TRAININGS_VARIABLE
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.search import search as search_module
from efficientmixnet.modules.search.search import Search
from efficientmixnet.modules.training.training_job import TrainingJob

SPACE = {
    "training.learning_rate": {"min": 0.0001, "max": 1, "sampling": "log"},
    "training.batch_size": {"min": 16, "max": 64, "step": 16},
    "network.norm": ["bn", "an"],
    "training.optimizer": ["adam", {"name": "sgd", "momentum": 0.9}],
}
COMMON = ModelConfig.model_validate({"training": {"epochs": 9}})
Train = Callable[[TrainingJob], Mapping[str, float]]


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Search]:
    """Makes a search that calls a function instead of training."""

    def make(train: Train, **config: Any) -> Search:
        def job(values: Mapping[str, Any]) -> TrainingJob:
            files: dict[str, Any] = {"labels": ["a"], "train_files": [], "eval_files": [], "checkpoints": "none"}
            return TrainingJob(config=with_values(COMMON, found_values(values)), **files)

        def train_here(job: TrainingJob, environment: Mapping[str, str], **_: Any) -> Mapping[str, float]:
            assert environment[TRAININGS_VARIABLE] == str(config.get("workers", 1))
            return train(job)

        monkeypatch.setattr(search_module, "train_elsewhere", train_here)
        return Search(SearchConfig(**{"space": SPACE, "trials": 8, **config}), COMMON, job, str(tmp_path / "found"))

    return make


def rate_and_norm(job: TrainingJob) -> dict[str, float]:
    """The best logs are near a learning rate of 0.01, with the norm an."""
    rate, norm = job.config.training.learning_rate, job.config.network.norm.kind
    accuracy = 1 / (1 + abs(rate - 0.01)) - (norm == "bn") / 2
    return {"val_accuracy": accuracy, "val_loss": 1 - accuracy}


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
@pytest.mark.parametrize("objective", ["val_accuracy", "val_loss"])
def test_every_algorithm_finds_the_best_trial(
    search: Callable[..., Search], algorithm: str, objective: str, tmp_path: Path
) -> None:
    tried = []

    def train(job: TrainingJob) -> Mapping[str, float]:
        tried.append(job)
        Path(job.checkpoints).mkdir(parents=True, exist_ok=True)
        return rate_and_norm(job)

    found = search(train, algorithm=algorithm, objective=objective)
    found.search()
    assert (tmp_path / "found" / "trial_0").exists()  # until the result is written
    found.remove_records()
    assert len(tried) == 8
    for job in tried:
        training = job.config.training
        assert 0.0001 <= training.learning_rate <= 1
        assert training.batch_size in (16, 32, 48, 64)
        assert training.optimizer in ({"name": "adam"}, {"name": "sgd", "momentum": 0.9})
    best = max(tried, key=lambda job: rate_and_norm(job)["val_accuracy"]).config
    values = found_values(found.get_best_hyperparameters()[0].get_config()["values"])
    assert with_values(COMMON, values) == best
    assert not (tmp_path / "found" / "trial_0").exists()


def test_hyperband_continues_the_best_trials_from_their_checkpoints(search: Callable[..., Search]) -> None:
    untils, resumed = [], []

    def train(job: TrainingJob) -> Mapping[str, float]:
        folder = Path(job.checkpoints)
        untils.append(job.until)
        resumed.append((folder / "state").exists())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state").write_text("here")
        return rate_and_norm(job)

    search(train, algorithm="hyperband", trials=14).search()
    # Li et al. 2018, R = 9 and eta = 3: nine trials of one epoch, three of which continue to three epochs, one to nine.
    assert untils[:13] == [1] * 9 + [3] * 3 + [9]
    assert resumed[:13] == [False] * 9 + [True] * 4


@pytest.mark.parametrize(("trials", "is_told"), [(9, True), (10, False), (13, False)])
def test_hyperband_says_if_it_continues_no_trial(
    search: Callable[..., Search], trials: int, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(job: TrainingJob) -> Mapping[str, float]:
        Path(job.checkpoints).mkdir(exist_ok=True)
        return rate_and_norm(job)

    search(train, algorithm="hyperband", trials=trials).search()
    told = (
        "9 are too few, because hyperband begins with 9 short trials and then continues the best of them; set at least"
    )
    assert (told in capsys.readouterr().out) is is_told


def test_a_search_whose_result_was_not_written_repeats_no_trial(search: Callable[..., Search]) -> None:
    search(rate_and_norm).search()

    def fail(job: TrainingJob) -> Mapping[str, float]:
        raise AssertionError("trains again")

    again = search(fail)
    again.search()
    assert len(again.oracle.end_order) == 8


def test_a_record_is_not_cut_off_if_the_disk_is_full(
    search: Callable[..., Search], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = search(rate_and_norm)
    found.save()
    before = (tmp_path / "found" / "oracle.json").read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        found.save()
    assert (tmp_path / "found" / "oracle.json").read_bytes() == before


def test_a_killed_search_repeats_only_the_running_trial(search: Callable[..., Search]) -> None:
    class Killed(BaseException):
        pass

    rates: list[float] = []

    def train_three(job: TrainingJob) -> Mapping[str, float]:
        rates.append(job.config.training.learning_rate)
        if len(rates) == 3:
            raise Killed
        return rate_and_norm(job)

    with pytest.raises(Killed):
        search(train_three).search()

    def train(job: TrainingJob) -> Mapping[str, float]:
        rates.append(job.config.training.learning_rate)
        return rate_and_norm(job)

    search(train).search()
    assert rates[3] == rates[2]
    assert len(set(rates)) == 8
    assert len(rates) == 9


def test_a_damaged_record_restarts_the_search(
    search: Callable[..., Search], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search(rate_and_norm).save()
    (tmp_path / "found" / "oracle.json").write_text('{"ongoing')
    search(rate_and_norm).search()
    assert "cannot be read: the search starts from the beginning" in capsys.readouterr().out


def test_workers_run_trials_at_the_same_time(search: Callable[..., Search]) -> None:
    together = threading.Barrier(2, timeout=10)

    def train(job: TrainingJob) -> Mapping[str, float]:
        together.wait()
        return rate_and_norm(job)

    search(train, workers=2, trials=4).search()


def test_a_failed_trial_is_reported_and_the_others_run(
    search: Callable[..., Search], capsys: pytest.CaptureFixture[str]
) -> None:
    def train(job: TrainingJob) -> Mapping[str, float]:
        if job.config.network.norm.kind == "an":
            raise BadInput("training.batch_size: 64 images do not fit into memory")
        return rate_and_norm(job)

    found = search(train)
    found.search()
    assert "failed: training.batch_size: 64 images do not fit" in capsys.readouterr().out
    assert found.get_best_hyperparameters()[0].values["network.norm"] == '"bn"'
    assert {(one["network.norm"], one["reason"]) for one in found.failures} == {
        ('"an"', "training.batch_size: 64 images do not fit into memory")
    }


def test_a_search_stops_with_the_reason_if_every_trial_fails(search: Callable[..., Search]) -> None:
    tried = []

    def train(job: TrainingJob) -> Mapping[str, float]:
        tried.append(job)
        raise BadInput("network.weights: no such file")

    with pytest.raises(BadInput, match=r"search\.space: every trial failed; the last error: network\.weights"):
        search(train, trials=50).search()
    assert len(tried) == 3


def test_sigterm_stops_all_trials_without_counting_them(
    search: Callable[..., Search], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    def train(job: TrainingJob) -> Mapping[str, float]:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        raise SystemExit(143)  # as a training ends after SIGTERM

    found = search(train)
    with pytest.raises(SystemExit) as ended:
        found.search()
    assert ended.value.code == 143
    assert {one.status for one in found.oracle.trials.values()} == {"RUNNING"}
