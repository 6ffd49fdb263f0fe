"""A worker process of InProcessRunner. It ends when the process that started it ends, even by SIGKILL."""

import os
import sys
import threading
import time

from apache_beam.runners.worker import sdk_worker_main

from efficientmixnet.components.beam import quick_stages, sorted_files  # noqa: F401

_SECONDS = 0.5  # between two looks at the parent


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    sdk_worker_main.main(sys.argv)
