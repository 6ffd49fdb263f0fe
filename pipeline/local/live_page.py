"""live_page: TensorBoard beside a run, to watch its curves and sample predictions."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVER = Path(__file__).with_name("tensorboard_server.py")


@contextmanager
def live_page(output: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Serves TensorBoard on this machine's loopback address while its body runs.

    Args:
        output: The output folder of the run.
        tell: Called with a line that has the address, as soon as the server answers.
    """
    ended = threading.Event()

    def tell_address() -> None:
        assert server.stdout
        address = server.stdout.readline().strip()
        if not ended.is_set():
            tell(f"live page    {address or 'TensorBoard did not start; the log has the reason'}")

    # Training writes its logs next to its checkpoints, and copies them to its results at the end.
    command = [sys.executable, str(_SERVER), str(output)]
    # In its own session, so that Ctrl-C does not end it before the run.
    server = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    telling = threading.Thread(target=tell_address, daemon=True)
    telling.start()
    try:
        yield
    finally:
        ended.set()
        server.kill()
        telling.join()
        server.communicate()
