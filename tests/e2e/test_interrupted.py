"""A run that is killed or interrupted goes on where it was."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

pytestmark = pytest.mark.e2e

EPOCHS = 6


def epochs_of(checkpoint: Path) -> int:
    """epoch-0003-step-000000.npz -> 3"""
    return int(checkpoint.name.split("-")[1])


def start_and_stop(command: list[str], output: Path, epochs_done: int, signal_number: int) -> int:
    """Starts the run, and ends it with the signal once training has done so many epochs; returns its exit code."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    while process.poll() is None:
        if any(epochs_of(file) >= epochs_done for file in output.glob("checkpoints/*/epoch-*.npz")):
            process.send_signal(signal_number)
            break
        time.sleep(0.05)
    return process.wait()


def test_a_killed_run_goes_on_from_the_last_finished_component_and_epoch(
    command_line, efficientmixnet, small_config, summary, tmp_path
):
    # Two pictures in three are left to a split that nothing reads, so that an epoch takes a second.
    output = tmp_path / "runs"
    settings = ["--set", f"training.epochs={EPOCHS}", "--set", "data.splits={train: 0.3, eval: 0.1, rest: 0.6}"]
    run = ["run", small_config, *settings, "--output", str(output)]

    assert start_and_stop([*command_line, *run], output, 1, signal.SIGKILL) == -signal.SIGKILL
    assert summary(output)["state"] == "running"

    assert start_and_stop([*command_line, *run], output, 3, signal.SIGTERM) == 130
    interrupted = summary(output)
    assert interrupted["state"] == "interrupted"
    assert interrupted["cached"] == ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"]

    efficientmixnet(*run)
    ended = summary(output)
    assert ended["accuracy"] > 0.3
    curves = EventAccumulator(str(Path(ended["tensorboard"], "validation")))
    curves.Reload()
    epochs = [event.step for event in curves.Tensors("epoch_loss")]
    assert epochs[-EPOCHS + 1 :] == list(range(1, EPOCHS))  # none trained twice; SIGKILL may cost the first one's curve
    assert not list((output / "checkpoints").iterdir())
