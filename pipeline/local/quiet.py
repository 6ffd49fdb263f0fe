"""noise_to: redirects standard output and error to a log file, including the output of C++ libraries."""

import atexit
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def noise_to(log: Path, also_show: bool) -> Iterator[TextIO]:
    """Redirects file descriptors 1 and 2 to `log`, and yields the real standard output.

    It also silences the errors that objects raise when the interpreter shuts down, such as TensorFlow's functions.

    Args:
        log: The file. Text is appended.
        also_show: Whether the text is also written to the real standard error.
    """
    atexit.register(setattr, sys, "unraisablehook", lambda _: None)
    sys.stdout.flush()
    sys.stderr.flush()
    real_out, real_err = os.dup(1), os.dup(2)
    log_file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    copier = None
    if also_show:
        source, sink = os.pipe()
        copier = threading.Thread(target=_copy, args=(source, (log_file, real_err)), daemon=True)
        copier.start()
    else:
        sink = os.dup(log_file)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    try:
        with os.fdopen(os.dup(real_out), "w", buffering=1) as shown:
            yield shown
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(real_out, 1)
        os.dup2(real_err, 2)
        if copier:
            # Our ends of the pipe are closed. A child process may still hold one open, so the wait has a limit.
            copier.join(timeout=1)
        for descriptor in (real_out, real_err, log_file):
            os.close(descriptor)


def _copy(source: int, sinks: tuple[int, ...]) -> None:
    while block := os.read(source, 65536):
        for sink in sinks:
            os.write(sink, block)
    os.close(source)
