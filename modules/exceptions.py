"""The exceptions of this project, one tree: every command turns an EfficientMixNetError into one line.

EfficientMixNetError
    BadInput                what the user gave cannot be used; exit code 2
        StoreUnavailable    the object store does not answer
    UnsafeSchema            a Parquet file would run code
    DamagedFile             the rest of a file of many images cannot be read
    BadImage                an image cannot be used
    RunFailed               a component failed
        RunnerFailed        Beam's runner failed a component
        WorkerEnded         one of Beam's worker processes ended
        TaskFailed          a task failed in a rehearsal
        TrainingFailed      a training job failed in the cluster
    ServerFailed            Kubeflow's or Kubernetes's server failed a request
        RequestRefused      it refused the request
        ServerUnavailable   it does not answer
"""

from collections.abc import Sequence


class EfficientMixNetError(Exception):
    """The root of the tree. Its message is one line that names the culprit and the cure."""

    exit_code = 1


class BadInput(EfficientMixNetError, ValueError):
    """What the user gave cannot be used: a configuration, an argument, images.

    Args:
        message: What is wrong, where, and what to do.
        left_out: The name and reason of each image that was left out before the run stopped.
    """

    exit_code = 2

    def __init__(self, message: str, left_out: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.left_out = tuple(left_out)


class StoreUnavailable(BadInput):
    """The object store did not answer in time."""


class UnsafeSchema(EfficientMixNetError, ValueError):
    """The schema of a Parquet file holds a pickled Python type, which could run code."""

    def __init__(self) -> None:
        super().__init__(
            "its schema holds a pickled Python type, which could run any code (CVE-2023-47248); write the file again "
            "with plain Arrow types"
        )


class DamagedFile(EfficientMixNetError, ValueError):
    """The rest of a file that holds many images cannot be read. The message says why."""


class BadImage(EfficientMixNetError, ValueError):
    """The image cannot be used. The message says why."""


class RunFailed(EfficientMixNetError, RuntimeError):
    """A component failed, and not because of what the user gave. The message names the log."""


class RunnerFailed(RunFailed):
    """Beam's runner failed a component on every attempt. The message says what to look at."""


class WorkerEnded(RunFailed):
    """One of Beam's worker processes on this machine ended early."""


class TaskFailed(RunFailed):
    """A task failed in a rehearsal. The message has its last lines."""


class TrainingFailed(RunFailed):
    """A training job failed in the cluster. The message has the last lines of its worker."""


class ServerFailed(EfficientMixNetError, RuntimeError):
    """A request to Kubeflow Pipelines or to Kubernetes failed. The message says which, and what to do."""


class RequestRefused(ServerFailed):
    """The server refused the request.

    Args:
        status: The HTTP status code.
        message: The server's reason.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ServerUnavailable(ServerFailed):
    """The server did not answer in time."""
