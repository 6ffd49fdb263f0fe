"""The exceptions of this project, in one tree. A command prints an EfficientMixNetError as one line.

EfficientMixNetError
    BadInput                the user's input cannot be used; exit code 2
        StoreUnavailable    the object store does not answer
        NoLabels            a file of images has no labels
    UnsafeSchema            a Parquet file could run code
    DamagedFile             the rest of a file with many images cannot be read
    BadImage                an image cannot be used
    BadLabel                a label is not a single class
    RunFailed               a component failed
        RunnerFailed        Beam's runner failed a component
        OutOfMemory         memory is full
        WorkerEnded         one of Beam's worker processes ended
        TaskFailed          a task failed in a rehearsal
        TrainingFailed      a training job failed in the cluster
    ServerFailed            Kubeflow's or Kubernetes's server failed a request
        RequestRefused      the server refused the request
        ServerUnavailable   the server does not answer
"""

from collections.abc import Sequence

from efficientmixnet.modules.text.secrets import mask


class EfficientMixNetError(Exception):
    """The root of the tree.

    Args:
        message: One line: what is wrong, and what to do. Secrets in it are masked.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(mask(str(message)))


class BadInput(EfficientMixNetError, ValueError):
    """The user's input cannot be used: a configuration, an argument, an image.

    Args:
        message: What is wrong, where, and what to do.
        left_out: The name of each image that was left out before the run stopped, and the reason.
    """

    exit_code = 2

    def __init__(self, message: str, left_out: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.left_out = tuple(left_out)


class StoreUnavailable(BadInput):
    """The object store did not answer in time."""


class NoLabels(BadInput):
    """A file of images has no labels where the layout says."""


class UnsafeSchema(EfficientMixNetError, ValueError):
    """The schema of a Parquet file holds a pickled Python type, which could run code."""

    def __init__(self) -> None:
        super().__init__(
            "its schema holds a pickled Python type, which could run any code (CVE-2023-47248); write the file again "
            "with plain Arrow types"
        )


class DamagedFile(EfficientMixNetError, ValueError):
    """The rest of a file with many images cannot be read. The message gives the reason."""


class BadImage(EfficientMixNetError, ValueError):
    """The image cannot be used. The message gives the reason.

    Args:
        reason: The reason.
        setting: The key of the configuration that decides it, and its value.
        cure: The end of the reason where there is no configuration.
    """

    def __init__(self, reason: str, setting: str = "", cure: str = "") -> None:
        super().__init__(f"{reason} ({setting})" if setting else reason)
        self.without_setting = reason + cure
        """The message for commands that take no configuration."""


class BadLabel(EfficientMixNetError, ValueError):
    """The label is not a single class. The message gives the reason, and what is supported."""


class RunFailed(EfficientMixNetError, RuntimeError):
    """A component failed, but not because of the user's input. The message names the log file."""


class RunnerFailed(RunFailed):
    """Beam's runner failed a component on every attempt. The message says where to look."""


class OutOfMemory(RunFailed):
    """Memory is full. The message names the keys to lower."""


class WorkerEnded(RunFailed):
    """One of Beam's worker processes on this machine ended too early."""


class TaskFailed(RunFailed):
    """A task failed in a rehearsal. The message ends with the last lines of its log."""


class TrainingFailed(RunFailed):
    """A training job failed in the cluster. The message ends with the last lines of a worker's log."""


class ServerFailed(EfficientMixNetError, RuntimeError):
    """A request to Kubeflow Pipelines or Kubernetes failed. The message names the request, and says what to do."""


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
