"""Tests that a killed or interrupted run resumes."""

import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

pytestmark = pytest.mark.e2e

EPOCHS = 6


def epochs_of(checkpoint: Path) -> int:
    """The number of epochs: 3 for epoch-0003-step-000000.npz."""
    return int(checkpoint.name.split("-")[1])


def stop(process: BaseProcess, output: Path, epochs_done: int, signal_number: int) -> int | None:
    """Sends the signal after this many training epochs. Returns the exit code of the run."""
    while process.is_alive():
        if any(epochs_of(file) >= epochs_done for file in output.glob("checkpoints/*/epoch-*.npz")):
            os.kill(process.pid, signal_number)
            break
        time.sleep(0.05)
    process.join()
    return process.exitcode


def test_a_run_that_was_killed_and_interrupted_repeats_no_epoch(efficientmixnet, small_config, summary, tmp_path):
    # Most images are in a split that nothing reads, so that an epoch takes a second.
    output = tmp_path / "runs"
    keys = (f"training.epochs={EPOCHS}", "data.splits={train: 0.3, eval: 0.1, rest: 0.6}")
    settings = [part for key in keys for part in ("--set", key)]
    run = ["run", small_config, *settings, "--output", str(output)]

    assert stop(efficientmixnet.start(*run), output, 1, signal.SIGKILL) == -signal.SIGKILL
    assert summary(output)["state"] == "running"

    assert stop(efficientmixnet.start(*run), output, 3, signal.SIGTERM) == 130
    interrupted = summary(output)
    assert interrupted["state"] == "interrupted"
    assert interrupted["cached"] == ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"]

    efficientmixnet(*run)
    ended = summary(output)
    assert (ended["state"], ended["cached"]) == ("pushed", interrupted["cached"])
    curves = EventAccumulator(str(Path(ended["tensorboard"], "validation")))
    curves.Reload()
    epochs = [event.step for event in curves.Tensors("epoch_loss")]
    assert epochs[-EPOCHS + 1 :] == list(
        range(1, EPOCHS)
    )  # No epoch runs twice. SIGKILL can lose the curve of the first one.
    assert not list((output / "checkpoints").iterdir())
