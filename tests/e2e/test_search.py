"""Tests of runs with a search, and of a run that starts from the latest model."""

import csv
import json
import os
import signal
import time
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RATES = [1e-6, 0.01]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("searched") / "runs"


@pytest.fixture(scope="module")
def searched(efficientmixnet, small_config, output):
    search = {"trials": 2, "workers": 2, "algorithm": "random", "space": {"training.learning_rate": RATES}}
    return efficientmixnet("run", small_config, "--output", output, "--set", f"search={json.dumps(search)}")


def test_training_uses_the_best_value_of_the_search(searched, summary, output):
    found = summary(output)
    assert found["state"] == "pushed", searched.stderr
    assert found["search"]["values"] == {"training.learning_rate": 0.01}
    with Path(found["run"], "trials.csv").open(newline="") as file:
        _, best, other = csv.reader(file)
    assert [float(best[3]), float(other[3])] == [0.01, 1e-6]
    # Trainer repeats the training of the best trial, on all cores instead of one.
    assert found["accuracy"] == pytest.approx(float(best[1]), abs=0.02)
    assert f"best of 2 trials: val_accuracy {found['search']['best']:.4f}" in searched.stdout
    assert "The best of 2 trials" in Path(found["report"]).read_text()
    assert yaml.safe_load(Path(found["run"], "config.yaml").read_text())["search"]["trials"] == 2


def test_a_run_starts_from_the_latest_blessed_model(searched, efficientmixnet, small_config, summary, output):
    before = summary(output)
    gentle = ("network.weights=latest", "training.epochs=1", "training.learning_rate=1e-6")
    done = efficientmixnet(
        "run", small_config, "--output", output, *(word for key in gentle for word in ("--set", key))
    )
    assert "starts from the latest blessed model" in done.stdout
    assert summary(output)["accuracy"] == pytest.approx(before["accuracy"], abs=0.02)


def test_a_killed_search_repeats_only_unfinished_trials(efficientmixnet, small_config, summary, tmp_path):
    output = tmp_path / "runs"
    search = {"trials": 3, "algorithm": "random", "space": {"training.learning_rate": [0.003, 0.01, 0.03]}}
    run = ("run", small_config, "--output", output, "--set", f"search={json.dumps(search)}")

    process = efficientmixnet.start(*run)
    while process.is_alive() and not _ended_trials(output):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    ended = _ended_trials(output)

    done = efficientmixnet(*run)
    assert summary(output)["state"] == "pushed", done.stderr
    with Path(summary(output)["run"], "trials.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 3
    tried_again = {line.split(":")[0].strip() for line in done.stdout.splitlines() if line.strip().startswith("trial ")}
    assert tried_again == {"trial 1", "trial 2", "trial 3"} - ended


def _ended_trials(output: Path) -> set[str]:
    """The finished trials, from the files of KerasTuner. Incomplete files are skipped."""
    ended = set()
    for file in output.glob("checkpoints/*-search-*/trial_*/trial.json"):
        if '"status": "COMPLETED"' in file.read_text():
            ended.add(f"trial {int(file.parent.name.removeprefix('trial_')) + 1}")
    return ended
