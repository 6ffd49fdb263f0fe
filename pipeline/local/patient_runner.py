"""PatientRunner: TFX's local runner, but a component on Beam that its runner fails is tried again, within a time.

Which failures are the runner's: one that a call to it ended with (a job server that is gone), a time-out, a worker
process of this machine that was killed, and a job that failed with no word from our own code, such as one whose worker
was killed elsewhere. What our own code raises on a worker
comes back with its traceback, and would be raised again.
"""

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import grpc
from apache_beam.runners.runner import PipelineResult
from tfx import v1 as tfx
from tfx.dsl.compiler import constants
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, RunnerFailed, WorkerEnded
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.local.worker_watch import interrupted_when_a_worker_ends

_CANCELLING = 10  # seconds that the runner has for it
_TRACEBACK = "Traceback (most recent call last)"


class _TimedOut(Exception):
    """The runner did not finish within beam.timeout."""


class PatientRunner(tfx.orchestration.LocalDagRunner):
    """Runs the components one after another, those on Beam up to `beam.retries` times more."""

    def __init__(self, beam: BeamConfig) -> None:
        super().__init__()
        self._beam = beam

    def run_with_ir(self, pipeline: Any, run_options: Any = None) -> None:
        """See LocalDagRunner; every component is a run of its own, in which all others are skipped."""
        now = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.now().isoformat()}
        runtime_parameter_utils.substitute_runtime_parameter(pipeline, now)
        specs = runner_utils.extract_local_deployment_config(pipeline).executor_specs
        for node in pipeline.nodes:
            name = node.pipeline_node.node_info.id
            alone = type(pipeline)()
            alone.CopyFrom(pipeline)
            for other in alone.nodes:
                if other.pipeline_node.node_info.id != name:
                    other.pipeline_node.execution_options.skip.SetInParent()
            on_beam = name in specs and specs[name].WhichOneof("spec") == "beam_executable_spec"
            if on_beam:
                self._run_on_runner(name, alone)
            else:
                super().run_with_ir(alone)

    def _run_on_runner(self, name: str, pipeline: Any) -> None:
        for attempt in range(self._beam.retries + 1):
            try:
                with _time_limit(self._beam.seconds), interrupted_when_a_worker_ends():
                    return super().run_with_ir(pipeline)
            except Exception as error:
                root = _root(error)
                reason = self._why(root)
                if reason is None:
                    raise
                _cancel_job(root)
                failed = f"{name} on the runner {self._beam.place}: {reason}"
                if attempt == self._beam.retries:
                    again = "the same command goes on from here"
                    if not attempt:
                        again += ", and with beam.retries: 1 a run does so by itself"
                    raise RunnerFailed(f"{failed}; {again}") from error
            progress.tell(f"{failed}; tried again ({attempt + 1} of {self._beam.retries})")
        return None

    def _why(self, error: BaseException) -> str | None:
        """The runner's reason in words; None for one that is not the runner's."""
        if isinstance(error, _TimedOut):
            return (
                f"not done within {(self._beam.seconds or 0) / 60:g} minutes: see whether its workers live, "
                "or give it more in beam.timeout"
            )
        if isinstance(error, WorkerEnded):
            return f"a worker of its own is gone ({error}): see whether memory was short, or set beam.workers: 1"
        if isinstance(error, BadInput):
            return None
        if isinstance(error, grpc.FutureTimeoutError):
            return "its job server does not answer: see whether it runs where beam.arguments says"
        if isinstance(error, grpc.RpcError):
            details = getattr(error, "details", lambda: "")() or ""
            return f"its job server is gone ({error.code().name}{': ' + details if details else ''})"
        text = str(error)
        if isinstance(error, RuntimeError) and _TRACEBACK not in text and _job_of(error):
            return f"the job failed ({' '.join(text.split())}): see whether its workers live"
        return None


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Raises _TimedOut in what runs within it for longer."""

    def time_out(*_: object) -> None:
        raise _TimedOut

    before = signal.signal(signal.SIGALRM, time_out)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _root(error: BaseException) -> BaseException:
    """What came first, whatever a component made of it."""
    while error.__cause__:
        error = error.__cause__
    return error


def _job_of(error: BaseException) -> PipelineResult | None:
    """The job that was waited for when the error came up, by the frames that it came through."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if isinstance(frame.f_locals.get("self"), PipelineResult):
            return frame.f_locals["self"]
    return None


def _cancel_job(error: BaseException) -> None:
    """A job that nobody waits for any more would keep its workers from the next one."""
    if job := _job_of(error):
        cancelling = threading.Thread(target=_cancel, args=(job,), daemon=True)  # a runner that hangs may not answer
        cancelling.start()
        cancelling.join(_CANCELLING)


def _cancel(job: PipelineResult) -> None:
    try:
        job.cancel()
    except Exception as error:
        progress.tell(f"its job could not be cancelled: {error}")
