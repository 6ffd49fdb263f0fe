"""A training that nobody waits for any more ends."""

import threading
from typing import Any

import pytest

from efficientmixnet.kubeflow.training_jobs.attendance import Attendance

POD = "digits-trainer-1"


def _ends(seconds: float, change: Any = None) -> bool:
    """Whether the training is ended within so many seconds; a look takes place every 20 ms, and 200 are of grace."""
    ended = threading.Event()
    Attendance(POD, ended.set, pause=0.02, grace=0.2).start()
    if change:
        threading.Timer(0.1, change).start()
    return ended.wait(seconds)


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_while_the_component_waits_nothing_happens(cluster: Any, phase: str) -> None:
    cluster.phases = {POD: phase}
    assert not _ends(0.6)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded", ""])
def test_when_it_has_ended_or_is_gone_the_training_ends_too(cluster: Any, phase: str) -> None:
    cluster.phases = {POD: phase}
    assert _ends(3)


def test_a_moments_absence_is_forgiven(cluster: Any) -> None:
    cluster.phases = {POD: ""}
    assert not _ends(0.8, change=lambda: cluster.phases.update({POD: "Running"}))


def test_without_the_right_to_look_the_training_goes_on_and_says_so(
    cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.failing = {"GET": (403, 1000)}
    assert not _ends(0.6)
    assert "nobody will notice when the component is gone: refused with 403" in capsys.readouterr().out


def test_a_server_that_is_away_ends_no_training(cluster: Any) -> None:
    cluster.phases = {POD: "Running"}
    cluster.failing = {"GET": (503, 1000)}
    assert not _ends(0.6)
