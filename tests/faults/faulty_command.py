"""Runs the command efficientmixnet, with a fault in one of its components.

    python faulty_command.py COMPONENT SECONDS FAULT OUTPUT WORDS...

FAULT happens SECONDS after COMPONENT has started: the name of a signal that this process gets, or `full`, which fills
the disk of OUTPUT.
"""

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

FILLER = "filler"


def fail(fault: str, process: int, output: Path) -> None:
    """Makes the fault happen."""
    if fault != "full":
        os.kill(process, signal.Signals[fault])
        return
    with suppress(OSError), (output / FILLER).open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


class Fault(logging.Handler):
    """Waits for the component in the log of TFX."""

    def __init__(self, component: str, seconds: str, fault: str, output: str) -> None:
        super().__init__()
        self._line, self._seconds = f"Component {component} is running.", float(seconds)
        self._arguments = fault, os.getpid(), Path(output)

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() != self._line:
            return
        if self._seconds:
            threading.Timer(self._seconds, fail, self._arguments).start()
        else:
            fail(*self._arguments)


if __name__ == "__main__":
    logging.getLogger("absl").addHandler(Fault(*sys.argv[1:5]))
    del sys.argv[1:5]
    from efficientmixnet.pipeline.supervisor import main

    main()
