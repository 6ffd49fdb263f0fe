"""A fault in each component ends with one line, and the next run gives the same bytes as an undisturbed one."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]

# The components, and the seconds after which the fault happens in them.
COMPONENTS = {
    "ImageExampleGen": 0,
    "StatisticsGen": 1,
    "SchemaGen": 0,
    "ExampleValidator": 0,
    "Transform": 2,
    "Trainer": 3,
    "Baseline": 0,
    "Evaluator": 2,
    "ServingCheck": 1,
    "Pusher": 0,
    "Report": 1,
}
SIGNALS = ("SIGKILL", "SIGTERM")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Returns an output folder for each fault. The runs in it continue each other, as a user's do."""
    folders = {fault: tmp_path_factory.mktemp(fault) for fault in SIGNALS}
    return folders.__getitem__


def state(output: Path) -> str:
    return str(json.loads((output / "summary.json").read_text())["state"])


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("fault", SIGNALS)
def test_a_signal_in_a_component_ends_the_run(
    command: Any, outputs: Callable[[str], Path], component: str, fault: str
) -> None:
    output = outputs(fault)
    ended = command.run_with_fault(component, COMPONENTS[component], fault, output)
    if fault == "SIGKILL":
        assert (ended.code, state(output)) == (-signal.SIGKILL, "running")
    else:
        assert (ended.code, ended.err) == (130, "interrupted: run the command again to continue")
        assert state(output) == "interrupted"


@pytest.mark.parametrize("fault", SIGNALS)
def test_the_run_after_the_signals_gives_the_same_bytes(
    command: Any, outputs: Callable[[str], Path], whole: Any, result: Any, fault: str
) -> None:
    assert command.run(outputs(fault)).code == 0
    assert result(outputs(fault)) == whole.result


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_full_disk_in_a_component_ends_the_run_with_one_line(command: Any, small_disk: Path, component: str) -> None:
    ended = command.run_with_fault(component, COMPONENTS[component], "full", small_disk)
    assert (small_disk / "filler").exists(), ended  # else the fault did not happen
    (small_disk / "filler").unlink()
    cure = "free some space, then run the command again to continue"
    assert (ended.code, ended.err) == (2, f"error: output: the disk of {small_disk} is full; {cure}")


def test_the_run_after_the_full_disks_gives_the_same_bytes(
    command: Any, small_disk: Path, whole: Any, result: Any
) -> None:
    assert command.run(small_disk).code == 0
    assert result(small_disk) == whole.result
