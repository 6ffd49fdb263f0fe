"""noise_to: redirects standard output and error to a log file, including the output of C++ libraries."""

import atexit
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from efficientmixnet.modules.files.private_file import PRIVATE

_COPIER = Path(__file__).with_name("masked_log.py")
_SECONDS = 10  # for the last lines; a process that outlives the run may keep the pipe open


@contextmanager
def noise_to(log: Path, also_show: bool) -> Iterator[TextIO]:
    """Redirects file descriptors 1 and 2 to `log`, and yields the real standard output.

    Secrets are masked in the log, and only its owner can read it.

    It also silences the errors that objects raise when the interpreter shuts down, such as TensorFlow's functions.

    Args:
        log: The file. Text is appended.
        also_show: Whether the text is also written to the real standard error.
    """
    atexit.register(setattr, sys, "unraisablehook", lambda _: None)
    sys.stdout.flush()
    sys.stderr.flush()
    real_out, real_err = os.dup(1), os.dup(2)
    source, sink = os.pipe()
    copier = _copier(source, log, also_show)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    try:
        # The locale's encoding may lack what the bar and the user's names are written with.
        with os.fdopen(os.dup(real_out), "w", buffering=1, errors="backslashreplace") as shown:
            yield shown
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(real_out, 1)
        os.dup2(real_err, 2)
        os.close(real_out)
        os.close(real_err)
        copier.join(_SECONDS)


def _copier(source: int, log: Path, also_show: bool) -> threading.Thread:
    """Starts the process that writes the log. The thread ends when it ends."""
    log_file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(log_file, fcntl.LOCK_SH)  # until the copier ends, see wait_until_complete
    command = [sys.executable, str(_COPIER), *(["--show"] if also_show else [])]
    # In its own session, so that Ctrl-C does not end it before the last lines are written.
    process = subprocess.Popen(command, stdin=source, stdout=log_file, start_new_session=True)  # noqa: S603
    os.close(source)
    os.close(log_file)
    waiting = threading.Thread(target=process.wait, daemon=True)
    waiting.start()
    return waiting
