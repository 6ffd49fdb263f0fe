"""Copies standard input to a log, with secrets masked. noise_to runs this file as a process.

A thread would not do: a library that fills the pipe while it holds the interpreter's lock would wait for itself, and
the last lines of a process that is killed would be lost.
"""

import fcntl
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from efficientmixnet.modules.text.printable import printable
from efficientmixnet.modules.text.secrets import mask

_LONGEST = 2**20  # bytes that are masked at once
_PATIENCE = 5.0  # seconds


def copy(log: int, shown: int | None) -> None:
    """Copies all lines.

    Args:
        log: The file descriptor of the log.
        shown: The file descriptor of a terminal, which gets no control characters; None for none.
    """
    while line := sys.stdin.buffer.readline(_LONGEST):
        text = line.decode(errors="surrogateescape")
        _write(log, mask(text).encode(errors="surrogateescape"))
        if shown is not None:
            _write(shown, printable(text, keep="\n\t").encode())


def wait_until_complete(log: Path) -> None:
    """Waits until no process copies to the log, such as after the death of the process that wrote the lines."""
    end = time.monotonic() + _PATIENCE
    with suppress(FileNotFoundError), log.open("rb") as file:
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.02)


def _write(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return  # The disk is full. The run must not wait for a reader, or end because there is none.


if __name__ == "__main__":
    copy(1, 2 if "--show" in sys.argv else None)
