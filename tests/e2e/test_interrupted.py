"""A run that is killed or interrupted goes on where it was."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

EPOCHS = 6


def start_and_stop(command: list[str], output: Path, epochs_done: int, signal_number: int) -> int:
    """Starts the run, and ends it with the signal once training has done so many epochs; returns its exit code."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    while process.poll() is None:
        states = list(output.glob("checkpoints/*/state.json"))
        if states and len(json.loads(states[0].read_text())) >= epochs_done:
            process.send_signal(signal_number)
            break
        time.sleep(0.05)
    return process.wait()


def test_a_killed_run_goes_on_from_the_last_epoch_and_ends_as_if_nothing_had_happened(
    command_line, efficientmixnet, small_config, summary, tmp_path
):
    # Two training pictures in three are dropped by a small share, so that six epochs take seconds.
    settings = [
        small_config,
        "--set",
        f"training.epochs={EPOCHS}",
        "--set",
        "data.splits={train: 0.3, eval: 0.1, rest: 0.6}",
    ]
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    run = ["run", *settings, "--output"]

    assert start_and_stop([*command_line, *run, str(stopped)], stopped, 1, signal.SIGKILL) == -signal.SIGKILL
    assert summary(stopped)["state"] == "running"

    assert start_and_stop([*command_line, *run, str(stopped)], stopped, 3, signal.SIGTERM) == 130
    interrupted = summary(stopped)
    assert interrupted["state"] == "interrupted"
    assert interrupted["cached"] == ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"]

    efficientmixnet(*run, stopped)
    efficientmixnet(*run, whole)
    resumed, undisturbed = summary(stopped), summary(whole)
    assert resumed["metrics"] == pytest.approx(undisturbed["metrics"], rel=1e-4)
    assert len(list(Path(resumed["tensorboard"]).rglob("validation/events.out.*"))) == 3  # each start's curves are kept
    assert not list((stopped / "checkpoints").iterdir())
