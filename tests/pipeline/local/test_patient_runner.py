"""Tests of retries, the time limit and canceling. tests/engines repeats them with a real runner."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import grpc
import pytest
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState
from tfx import v1 as tfx

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, RunnerFailed, WorkerEnded
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.local.patient_runner import PatientRunner
from efficientmixnet.pipeline.stop_signals import StopSignals

PORTABLE: dict[str, Any] = {
    "runner": "portable",
    "arguments": ("--job_endpoint=127.0.0.1:8073", "--environment_type=EXTERNAL"),
}
ERROR_IN_OUR_CODE = "bundle failed: Traceback (most recent call last)\n  File ...\nValueError: 7"


class Job(PipelineResult):
    """A job that fails with a message, and records whether it was canceled."""

    def __init__(self, message: str) -> None:
        super().__init__(PipelineState.FAILED)
        self.message, self.canceled = message, False

    def wait_until_finish(self, duration: Any = None) -> None:
        raise RuntimeError(self.message)

    def cancel(self) -> None:
        self.canceled = True

    def __call__(self) -> None:
        """Runs a Beam pipeline whose job this is."""
        with beam.Pipeline(runner=Runner(self)) as pipeline:
            _ = pipeline | beam.Create([1])


class Runner(PipelineRunner):
    """A runner with one job."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def run_pipeline(self, pipeline: Any, options: Any) -> Job:
        return self.job


class JobServerGone(grpc.RpcError):
    """The error of a call to a job server that has ended."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The lines that the run reports."""
    lines: list[str] = []
    progress.listen(SimpleNamespace(tell=lines.append))  # type: ignore[arg-type]
    yield lines
    progress.listen(None)


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Runs a component with one function for each attempt. Returns the functions that were not called."""

    def call(*attempts: Callable[[], None], **beam: Any) -> list[Any]:
        left = list(attempts)
        monkeypatch.setattr(tfx.orchestration.LocalDagRunner, "run_with_ir", lambda *_: left.pop(0)())
        PatientRunner(BeamConfig(**{**PORTABLE, **beam}))._run_on_beam("Transform", None)
        return left

    return call


def done() -> None: ...


def raises(error: Exception) -> Callable[[], None]:
    def attempt() -> None:
        raise error

    return attempt


def raises_wrapped_error() -> None:
    try:
        raise JobServerGone
    except JobServerGone as error:
        raise ValueError("nothing was evaluated") from error


def test_a_failed_job_is_canceled_and_retried(component: Any, lines: list[str]) -> None:
    job = Job("SDK worker disconnected")
    assert component(job, done, retries=1) == []
    assert job.canceled
    assert lines == [
        "Transform on the runner portable at 127.0.0.1:8073: the job failed (SDK worker disconnected); "
        "check that its workers are running; retrying (1 of 1)"
    ]


def test_a_job_that_has_succeeded_is_not_canceled(component: Any) -> None:
    job = Job("")
    job._state = PipelineState.DONE
    job.wait_until_finish = lambda duration=None: None  # type: ignore[method-assign]

    def fails_after_its_job() -> None:
        job()
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        component(fails_after_its_job)
    assert not job.canceled


def test_an_interrupted_job_is_canceled(component: Any) -> None:
    def interrupted(duration: Any = None) -> None:
        raise KeyboardInterrupt

    job = Job("")
    job.wait_until_finish = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        component(job, retries=1)
    assert job.canceled


def test_an_error_that_beam_makes_of_a_signal_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def interrupted(*arguments: Any) -> None:
        calls.append(arguments)
        os.kill(os.getpid(), signal.SIGTERM)

    def as_beam_does(*arguments: Any) -> None:
        try:
            interrupted(*arguments)
        except KeyboardInterrupt as error:
            raise RuntimeError("KeyboardInterrupt [while running 'Evaluate']") from error

    monkeypatch.setattr(tfx.orchestration.LocalDagRunner, "run_with_ir", as_beam_does)
    config = BeamConfig(**{**PORTABLE, "retries": 2})
    with pytest.raises(KeyboardInterrupt), StopSignals() as signals:
        PatientRunner(config, signals.check)._run_on_beam("Evaluator", None)
    assert len(calls) == 1


def test_beams_run_method_is_restored(component: Any) -> None:
    before = beam.Pipeline.run
    with pytest.raises(RunnerFailed):
        component(Job("SDK worker disconnected"))
    assert beam.Pipeline.run is before


def test_an_error_in_our_code_on_a_worker_ends_the_run_with_its_last_line(component: Any) -> None:
    with pytest.raises(RunnerFailed, match=r"the job failed \(ValueError: 7\); .* or set beam\.retries"):
        component(Job(ERROR_IN_OUR_CODE))


def test_the_run_ends_after_the_last_retry(component: Any, lines: list[str]) -> None:
    with pytest.raises(
        RunnerFailed, match=r"^Transform .* the job server is gone \(UNAVAILABLE\); run the command again"
    ):
        component(raises(JobServerGone()), raises_wrapped_error, done, retries=1)
    assert len(lines) == 1


@pytest.mark.parametrize("error", [ValueError("7"), BadInput("no images")])
def test_errors_on_this_machine_are_not_retried(component: Any, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        component(raises(error), done, retries=9)
    assert caught.value is error


def test_an_error_in_process_is_not_retried(component: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^Traceback") as caught:
        component(raises(RuntimeError("Traceback")), done, retries=9, runner="in-process", arguments=())
    assert not isinstance(caught.value, RunnerFailed)


def test_a_component_that_takes_too_long_is_stopped(component: Any) -> None:
    with pytest.raises(RunnerFailed, match=r"not finished after 0\.005 minutes; .* raise beam\.timeout"):
        component(lambda: time.sleep(20), timeout=0.005)


def test_the_time_limit_ends_with_the_component(component: Any) -> None:
    component(done, timeout=0.002)
    time.sleep(0.2)


def test_outside_the_main_thread_a_component_has_no_time_limit(component: Any) -> None:
    with ThreadPoolExecutor(1) as other:
        assert other.submit(component, lambda: time.sleep(0.3), timeout=0.002).result() == []


def test_a_killed_worker_process_is_retried(component: Any, lines: list[str]) -> None:
    killed = WorkerEnded("Worker subprocess exited with return code -9")
    assert component(raises(killed), done, retries=1) == []
    assert "a worker process ended (Worker subprocess exited with return code -9)" in lines[0]
