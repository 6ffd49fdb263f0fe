"""The Tuner writes failed trials in addition to TFX's results."""

import json

import keras_tuner
from keras_tuner.engine import trial
from tfx import v1 as tfx
from tfx.components.tuner import executor

from efficientmixnet.components.tuner.component import FAILURES_FILE, Tuner


class _Searched:
    """A search with one finished and one failed trial, with KerasTuner's interface."""

    failures = [{"trial_id": "1", "reason": "out of memory", "training.batch_size": 64}]

    def __init__(self) -> None:
        values = keras_tuner.HyperParameters()
        values.Fixed("training.batch_size", 32)
        done = trial.Trial(values, "0", trial.TrialStatus.COMPLETED)
        done.score = 0.9
        self.oracle = self
        self.max_trials = 2
        self.removed = False
        self._done = done

    def remove_records(self) -> None:
        self.removed = True

    def get_best_trials(self, _: int) -> list[trial.Trial]:
        return [self._done]

    def get_best_hyperparameters(self) -> list[keras_tuner.HyperParameters]:
        return [self._done.hyperparameters]


def test_failed_trials_are_written_next_to_tfxs_results(tmp_path, monkeypatch):
    searched = _Searched()
    monkeypatch.setattr(executor, "search", lambda *_: searched)
    kinds = tfx.types.standard_artifacts
    best, results = kinds.HyperParameters(), kinds.TunerResults()
    best.uri, results.uri = str(tmp_path / "best"), str(tmp_path / "results")
    (tmp_path / "results").mkdir()
    run = Tuner.EXECUTOR_SPEC.executor_class
    outputs = {"best_hyperparameters": [best], "tuner_results": [results]}
    run(run.Context(tmp_dir=str(tmp_path), unique_id="1")).Do({}, outputs, {})
    noted = json.loads((tmp_path / "results" / FAILURES_FILE).read_text())
    assert noted == [{"trial_id": "1", "reason": "out of memory", "training.batch_size": 64}]
    (done,) = json.loads((tmp_path / "results" / "tuner_results.json").read_text())
    assert done == {"trial_id": "0", "score": 0.9, "training.batch_size": 32}
    assert searched.removed  # when both are written
