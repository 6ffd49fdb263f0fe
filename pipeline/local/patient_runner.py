"""PatientRunner: TFX's local runner, with a time limit and retries for the components that run on Beam."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.runners.runner import PipelineResult, PipelineState
from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.dsl.compiler import constants
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import RunnerFailed, WorkerEnded
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.local.complete_results import only_complete_results, record_sizes
from efficientmixnet.pipeline.local.worker_watch import interrupted_when_a_worker_ends
from efficientmixnet.pipeline.runs.metadata import latest_artifacts, open_metadata

_CANCEL_SECONDS = 10
_IN_THEIR_OWN_PROCESS = {"ServingCheck"}


class _TimedOut(Exception):
    """A component took longer than beam.timeout."""


class PatientRunner(tfx.orchestration.LocalDagRunner):
    """Runs the components one after another, and retries those that Beam's runner failed.

    A component that works in a process of its own runs beside the following ones, until one of them needs it.

    These failures are retried: a component that exceeds the time limit, a worker process of this machine that ends,
    and a job server that is gone. Another runner's failed job is retried too, whatever the reason, because a runner
    reports a lost worker and an error in our code in the same way.

    Args:
        beam: The section beam of the configuration.
        check: Called after each component, and with each error of one. Raises KeyboardInterrupt if a signal came.
    """

    def __init__(self, beam: BeamConfig, check: Callable[[BaseException | None], None] = lambda error: None) -> None:
        super().__init__()
        self._beam, self._check = beam, check

    def run_with_ir(self, pipeline: Any, run_options: Any = None) -> None:
        """Overrides LocalDagRunner: runs each component as a pipeline in which all others are skipped."""
        now = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.now().isoformat()}
        runtime_parameter_utils.substitute_runtime_parameter(pipeline, now)
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        specs = deployment.executor_specs
        database = Path(deployment.metadata_connection_config.database_connection_config.sqlite.filename_uri)
        beside: dict[str, _Beside] = {}
        with only_complete_results(database.parent):
            try:
                for node in _ordered(pipeline.nodes):
                    name = _name(node)
                    for needed in beside.keys() & set(node.pipeline_node.upstream_nodes):
                        self._checked(beside.pop(needed).wait)
                    alone = _only(name, pipeline)
                    if name in _IN_THEIR_OWN_PROCESS:
                        beside[name] = _Beside(partial(super().run_with_ir, alone))
                        continue
                    on_beam = name in specs and specs[name].WhichOneof("spec") == "beam_executable_spec"
                    run = partial(self._run_on_beam, name) if on_beam else super().run_with_ir
                    self._checked(partial(run, alone))
                    record_sizes(_new_results(database))
                for one in beside.values():
                    self._checked(one.wait)
            except Exception:
                for one in beside.values():
                    one.join()
                raise

    def _checked(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as error:
            self._check(error)
            raise
        self._check(None)

    def _run_on_beam(self, name: str, pipeline: Any) -> None:
        canceling = nullcontext if self._beam.runner == "in-process" else _jobs_canceled_on_error
        for attempt in range(self._beam.retries + 1):
            try:
                with _time_limit(self._beam.seconds), interrupted_when_a_worker_ends(), canceling():
                    return super().run_with_ir(pipeline)
            except Exception as error:
                self._check(error)
                reason = self._reason(_root(error))
                if reason is None:
                    raise
                failed = f"{name} on the runner {self._beam.place}: {reason}"
                if attempt == self._beam.retries:
                    cure = "run the command again to continue"
                    if not attempt:
                        cure += ", or set beam.retries to have this done for you"
                    raise RunnerFailed(f"{failed}; {cure}") from error
            progress.tell(f"{failed}; retrying ({attempt + 1} of {self._beam.retries})")
        return None

    def _reason(self, error: BaseException) -> str | None:
        """Why Beam's runner failed. None: the failure is not the runner's."""
        if isinstance(error, _TimedOut):
            minutes = (self._beam.seconds or 0) / 60
            return f"not finished after {minutes:g} minutes; check that its workers are running, or raise beam.timeout"
        if isinstance(error, WorkerEnded):
            return f"a worker process ended ({error}); check the free memory, or set beam.workers: 1"
        if isinstance(error, grpc.FutureTimeoutError):
            return "the job server does not answer; check that it is running at the address in beam.arguments"
        if isinstance(error, grpc.RpcError):
            details = getattr(error, "details", lambda: "")() or ""
            return f"the job server is gone ({error.code().name}{': ' + details if details else ''})"
        if type(error) is RuntimeError and self._beam.runner != "in-process":  # Beam's error for a failed job
            last_line = str(error).strip().rpartition("\n")[2]
            return f"the job failed ({last_line}); check that its workers are running"
        return None


class _Beside(threading.Thread):
    """Runs a function in a thread. The process does not wait for it when it is interrupted."""

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Overrides Thread."""
        try:
            self._function()
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Waits until the function has ended, and raises its error."""
        self.join()
        if self._error:
            raise self._error


def _name(node: Any) -> str:
    return str(node.pipeline_node.node_info.id)


def _ordered(nodes: Iterable[Any]) -> list[Any]:
    """Returns the nodes in their order, but those that run beside others as soon as they can."""
    ordered = [node for node in nodes if _name(node) not in _IN_THEIR_OWN_PROCESS]
    for node in (node for node in nodes if _name(node) in _IN_THEIR_OWN_PROCESS):
        needed = node.pipeline_node.upstream_nodes
        ordered.insert(max((place for place, one in enumerate(ordered, 1) if _name(one) in needed), default=0), node)
    return ordered


def _only(name: str, pipeline: Any) -> Any:
    """Returns the pipeline with all other components skipped."""
    alone = type(pipeline)()
    alone.CopyFrom(pipeline)
    for other in alone.nodes:
        if _name(other) != name:
            other.pipeline_node.execution_options.skip.SetInParent()
    return alone


def _new_results(database: Path) -> list[Path]:
    """The folders that the last component has written."""
    outputs = latest_artifacts(open_metadata(database), metadata_store_pb2.Event.OUTPUT)
    return [Path(artifact.uri) for artifact in outputs]


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Raises _TimedOut in the body if it takes longer. Outside the main thread there is no limit."""
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers only there.
        yield
        return

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
    """The first error of the chain. TFX and Beam wrap it."""
    while error.__cause__:
        error = error.__cause__
    return error


@contextmanager
def _jobs_canceled_on_error() -> Iterator[None]:
    """Cancels the jobs that the body has started if it raises an error. They would keep their workers otherwise."""
    jobs: list[PipelineResult] = []
    run = beam.Pipeline.run

    def run_and_note(pipeline: beam.Pipeline, *args: Any, **kwargs: Any) -> PipelineResult:
        job = run(pipeline, *args, **kwargs)
        if job not in jobs:  # Beam's method may call itself.
            jobs.append(job)
        return job

    beam.Pipeline.run = run_and_note
    try:
        yield
    except (Exception, KeyboardInterrupt):
        for job in jobs:
            # A runner that hangs may not answer.
            canceling = threading.Thread(target=_cancel, args=(job,), daemon=True)
            canceling.start()
            canceling.join(_CANCEL_SECONDS)
        raise
    finally:
        beam.Pipeline.run = run


def _cancel(job: PipelineResult) -> None:
    try:
        if job.state != PipelineState.DONE:
            job.cancel()
    except Exception as error:
        progress.tell(f"Beam's job cannot be canceled: {error}")
