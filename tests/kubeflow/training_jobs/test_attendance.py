"""A training stops if the component's pod is gone."""

import threading
from typing import Any

import pytest

from efficientmixnet.kubeflow.training_jobs.attendance import Attendance

POD = "digits-trainer-1"


def _ends(seconds: float, change: Any = None) -> bool:
    """Whether the training stops within `seconds`. Attendance checks every 20 ms, with 200 ms of grace."""
    ended = threading.Event()
    Attendance(POD, ended.set, pause=0.02, grace=0.2).start()
    if change:
        threading.Timer(0.1, change).start()
    return ended.wait(seconds)


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_the_training_continues_while_the_component_waits(cluster: Any, phase: str) -> None:
    cluster.phases = {POD: phase}
    assert not _ends(0.6)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded", ""])
def test_the_training_stops_if_the_component_has_ended_or_is_gone(cluster: Any, phase: str) -> None:
    cluster.phases = {POD: phase}
    assert _ends(3)


def test_a_short_absence_of_the_component_is_ignored(cluster: Any) -> None:
    cluster.phases = {POD: ""}
    assert not _ends(0.8, change=lambda: cluster.phases.update({POD: "Running"}))


def test_without_the_right_to_check_the_training_continues(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.failing = {"GET": (403, 1000)}
    assert not _ends(0.6)
    assert "cannot check that the component's pod is running: refused with 403" in capsys.readouterr().out


def test_the_training_continues_while_the_api_server_does_not_answer(cluster: Any) -> None:
    cluster.phases = {POD: "Running"}
    cluster.failing = {"GET": (503, 1000)}
    assert not _ends(0.6)
