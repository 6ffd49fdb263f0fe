"""Which failures are the runner's, and what is done about them; tests/engines has them from a runner itself."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from apache_beam.runners.runner import PipelineResult, PipelineState
from tfx import v1 as tfx

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, RunnerFailed, WorkerEnded
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.local.patient_runner import PatientRunner

ARGUMENTS = ("--job_endpoint=127.0.0.1:8073", "--environment_type=EXTERNAL")
OF_OUR_CODE = "bundle failed: Traceback (most recent call last)\n  File ...\nValueError: 7"


class Job(PipelineResult):
    """A job that fails with a message, and remembers whether it was cancelled."""

    def __init__(self, message: str) -> None:
        super().__init__(PipelineState.FAILED)
        self.message, self.cancelled = message, False

    def wait_until_finish(self, duration: Any = None) -> None:
        raise RuntimeError(self.message)

    def cancel(self) -> None:
        self.cancelled = True


class Gone(grpc.RpcError):
    """What a call to a job server ends with that is not there any more."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def said() -> Iterator[list[str]]:
    lines: list[str] = []
    progress.listen(SimpleNamespace(tell=lines.append))  # type: ignore[arg-type]
    yield lines
    progress.listen(None)


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Runs a component that does these things, one an attempt; returns what was left to do."""

    def call(*attempts: Callable[[], None], **beam: Any) -> list[Any]:
        left = list(attempts)
        monkeypatch.setattr(tfx.orchestration.LocalDagRunner, "run_with_ir", lambda *_: left.pop(0)())
        config = BeamConfig(runner="portable", arguments=ARGUMENTS, **beam)
        PatientRunner(config)._run_on_runner("Transform", None)
        return left

    return call


def done() -> None: ...


def gone_by_another_name() -> None:
    try:
        gone()
    except Gone as error:
        raise ValueError("nothing was evaluated") from error


def gone() -> None:
    raise Gone


def bad_images() -> None:
    raise BadInput("no images")


def test_a_job_that_the_runner_failed_is_cancelled_and_tried_again(component: Any, said: list[str]) -> None:
    job = Job("SDK worker disconnected")
    assert component(job.wait_until_finish, done, retries=1) == []
    assert job.cancelled
    assert said == [
        "Transform on the runner portable at 127.0.0.1:8073: the job failed (SDK worker disconnected): "
        "see whether its workers live; tried again (1 of 1)"
    ]


def test_what_fails_too_often_ends_the_run(component: Any, said: list[str]) -> None:
    with pytest.raises(RunnerFailed, match=r"^Transform .* its job server is gone \(UNAVAILABLE\); the same command"):
        component(gone, gone_by_another_name, done, retries=1)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("attempt", "error"), [(Job(OF_OUR_CODE).wait_until_finish, RuntimeError), (bad_images, BadInput)]
)
def test_what_is_not_the_runners_fault_is_not_tried_again(component: Any, attempt: Any, error: type) -> None:
    with pytest.raises(error) as caught:
        component(attempt, done, retries=9)
    assert not isinstance(caught.value, RunnerFailed)


def test_what_takes_too_long_is_given_up(component: Any) -> None:
    with pytest.raises(RunnerFailed, match=r"not done within 0\.005 minutes: .* give it more in beam\.timeout"):
        component(lambda: time.sleep(20), timeout=0.005)


def test_the_time_limit_ends_with_the_component(component: Any) -> None:
    component(done, timeout=0.002)
    time.sleep(0.2)


def killed() -> None:
    raise WorkerEnded("Worker subprocess exited with return code -9")


def test_a_worker_process_that_was_killed_is_tried_again(component: Any, said: list[str]) -> None:
    assert component(killed, done, retries=1) == []
    assert "a worker of its own is gone (Worker subprocess exited with return code -9)" in said[0]
