"""exit_if_worker_lost: turns the loss of another worker into an exit code that asks for a retry."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from efficientmixnet.modules import progress

# Kubernetes operators treat exit codes of 128 and more as temporary, and restart the pod.
EXIT_WORKER_LOST = 128 + signal.SIGHUP
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


@contextmanager
def exit_if_worker_lost(workers: int) -> Iterator[None]:
    """A context for everything that the workers do together, from the first connection on.

    Args:
        workers: The number of workers. With one worker, errors pass unchanged.

    Raises:
        SystemExit: Another worker ended. The exit code asks for a retry.
    """
    try:
        yield
    except (*_LOST, RuntimeError) as error:  # JAX's errors are RuntimeErrors
        if workers == 1 or not (isinstance(error, _LOST) or _is_jax_losing_a_worker(error)):
            raise
        lines = str(error).splitlines() or [""]
        reason = next((line for line in lines if "task" in line or "Collective" in line), lines[0]).strip()
        progress.tell(f"one of the {workers} workers ended: {reason}")
        progress.tell("when restarted, all workers resume from the last checkpoint")
        raise SystemExit(EXIT_WORKER_LOST) from error


def _is_jax_losing_a_worker(error: Exception) -> bool:
    """Whether JAX's collective operations or its service between the processes failed."""
    words = ("gloo", "nccl", "coordination", "heartbeat", "connection", "unavailable", "aborted", "barrier")
    return type(error).__name__ in ("XlaRuntimeError", "JaxRuntimeError") and any(
        word in str(error).lower() for word in words
    )
