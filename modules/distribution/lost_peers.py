"""lost_peers_in_words: turns the loss of another worker into an exit code that asks for a retry."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from efficientmixnet.modules import progress

# Kubernetes' operators take an exit code from 128 on for a fault that passes, and start the pod again.
EXIT_LOST_PEERS = 128 + signal.SIGHUP
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


@contextmanager
def lost_peers_in_words(workers: int) -> Iterator[None]:
    """Around all that so many workers do together, from their first connection on.

    Raises:
        SystemExit: another worker is gone; the code asks for a retry.
    """
    try:
        yield
    except _LOST as error:
        if workers == 1:
            raise
        lines = str(error).splitlines() or [""]
        reason = next((line for line in lines if "task" in line or "Collective" in line), lines[0]).strip()
        progress.tell(f"another worker of {workers} is gone: {reason}")
        progress.tell("started again, all of them go on from the last checkpoint")
        raise SystemExit(EXIT_LOST_PEERS) from error
