"""Tests of the table of trials."""

import csv
import json
from pathlib import Path

from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.runs.run_summary import Search
from efficientmixnet.pipeline.runs.trials import write_trials

CONFIG = Config.model_validate(
    {
        "training": {"epochs": 9},
        "search": {
            "space": {
                "training.learning_rate": {"min": 0.001, "max": 0.1},
                "training.optimizer": ["adam", {"name": "sgd", "momentum": 0.9}],
            }
        },
    }
)
ROWS = [  # the format of TFX's Tuner after Hyperband
    {
        "trial_id": "3",
        "score": 0.9,
        "training.optimizer": '{"name": "sgd", "momentum": 0.9}',
        "training.learning_rate": 0.05,
        "tuner/epochs": 9,
        "tuner/trial_id": "0",
    },
    {"trial_id": "0", "score": 0.5, "training.optimizer": '"adam"', "training.learning_rate": 0.01, "tuner/epochs": 1},
]


def test_the_table_has_a_row_for_each_trial(tmp_path: Path) -> None:
    (tmp_path / "tuner_results.json").write_text(json.dumps(ROWS))
    failed = {"trial_id": "1", "reason": "out of memory", "training.optimizer": '"adam"', "training.learning_rate": 0.1}
    (tmp_path / "failed_trials.json").write_text(json.dumps([failed]))
    found = write_trials(str(tmp_path), CONFIG, tmp_path)
    sgd = {"name": "sgd", "momentum": 0.9}
    values = {"training.optimizer": sgd, "training.learning_rate": 0.05}
    assert found == Search(trials=3, failed=1, objective="val_accuracy", best=0.9, values=values)
    with (tmp_path / "trials.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["trial", "val_accuracy", "epochs", "training.learning_rate", "training.optimizer", "state", "reason"],
            ["4", "0.9", "9", "0.05", json.dumps(sgd), "done", ""],
            ["1", "0.5", "1", "0.01", "adam", "done", ""],
            ["2", "", "9", "0.1", "adam", "failed", "out of memory"],
        ]


def test_without_a_search_there_is_no_table(tmp_path: Path) -> None:
    assert write_trials(str(tmp_path), CONFIG, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
