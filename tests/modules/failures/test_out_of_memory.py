"""Full memory is recognized in the errors of many libraries, and in nothing else."""

import errno
from pathlib import Path

import grpc
import pyarrow
import pytest
import tensorflow as tf

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.failures.out_of_memory import is_out_of_memory, log_says_out_of_memory


def _wrapped(error: Exception) -> Exception:
    """As Beam and TFMA wrap an error."""
    try:
        try:
            raise error
        except Exception as cause:
            raise ValueError("nothing was evaluated") from cause
    except ValueError as wrapped:
        return wrapped


class Quota(grpc.RpcError):
    def __str__(self) -> str:
        return "RESOURCE_EXHAUSTED: unable to allocate more requests"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        pyarrow.ArrowMemoryError("malloc of size 64 failed"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("Traceback ...\nMemoryError\n [while running 'Transform']"),
        RuntimeError("RESOURCE_EXHAUSTED: Failed to allocate request for 2.00GiB (2147483648B) on device ordinal 0"),
        ImportError("libx.so: failed to map segment from shared object"),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[64,224,224,3]"),
        tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        _wrapped(MemoryError()),
    ],
)
def test_full_memory_is_recognized(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("out of memory"),
        BadInput("photos/out of memory.png: does not exist"),
        OSError(errno.ENOSPC, "No space left on device"),
        tf.errors.ResourceExhaustedError(None, None, "/data/events; No space left on device"),
        Quota(),
        RuntimeError("a bug"),
    ],
)
def test_other_errors_are_not_taken_for_full_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_the_end_of_a_log_counts(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert not log_says_out_of_memory(log)
    log.write_text("std::bad_alloc\n" + "more\n" * 10_000)
    assert not log_says_out_of_memory(log)
    log.write_text("more\n" * 10_000 + "what():  std::bad_alloc\n")
    assert log_says_out_of_memory(log)
