"""is_out_of_memory: recognizes the many ways in which libraries say that memory is full."""

import errno
import re
import resource
import signal
from pathlib import Path

from efficientmixnet.modules.exceptions import EfficientMixNetError, OutOfMemory

# TensorFlow's ResourceExhaustedError and RESOURCE_EXHAUSTED alone are not enough. They can mean a full disk, a quota or
# a long message too. `MemoryError` also ends the names of NumPy's and pyarrow's errors.
_WORDS = re.compile(
    r"MemoryError\b|std::bad_alloc|out of memory|OUT_OF_MEMORY|OOM when allocating|cannot allocate memory"
    r"|unable to allocate|failed to allocate|RESOURCE_EXHAUSTED: .*alloc|malloc of size \d+ failed"
    r"|can't start new thread|failed to map segment from shared object",
    re.IGNORECASE,
)
_LOG_END = 20_000  # bytes
_WITH_WORDS = (RuntimeError, ImportError, SystemError)  # Beam, JAX, PyTorch and Python's threads raise a RuntimeError.


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error, or an error behind it, says that memory is full.

    Example:
        >>> is_out_of_memory(RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."))
        True
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one and id(one) not in seen:
        if _says_so(one):
            return True
        seen.add(id(one))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return False


def log_says_out_of_memory(log: Path) -> bool:
    """Whether the end of a log says that memory is full. Libraries that cannot be loaded may only write it there."""
    try:
        return bool(_WORDS.search(log.read_bytes()[-_LOG_END:].decode(errors="replace")))
    except OSError:
        return False


def memory_is_limited() -> bool:
    """Whether this process has a limit, by `ulimit -v`. Many C++ libraries then abort, crash or work in part."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def ended_out_of_memory(number: int) -> bool:
    """Whether a process that this signal has ended probably lacked memory. The kernel kills it if memory is full."""
    return number == signal.SIGKILL or memory_is_limited()


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError | OutOfMemory):
        return True
    if isinstance(error, EfficientMixNetError):  # Its message may quote a file's name.
        return False
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, _WITH_WORDS) or type(error).__module__.startswith("tensorflow."):
        return bool(_WORDS.search(str(error)))
    return False
