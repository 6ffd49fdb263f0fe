"""Serves TensorBoard on loopback until standard input ends. live_page runs this file as a process.

    python tensorboard_server.py FOLDER

It prints the address. Standard input ends with the process that started it, whatever ends that one.
"""

import os
import sys


def serve(folder: str) -> None:
    """Serves the logs in a folder.

    Args:
        folder: The folder. It need not exist yet.
    """
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # TensorBoard then needs no TensorFlow, and less memory.
    from tensorboard.program import TensorBoard

    server = TensorBoard()
    where = ("--host", "127.0.0.1", "--port", "0")  # a free port
    server.configure(argv=["tensorboard", "--logdir", folder, *where, "--reload_interval", "5"])
    print(server.launch(), flush=True)
    sys.stdin.read()
    os._exit(0)  # without waiting for its threads


if __name__ == "__main__":
    serve(sys.argv[1])
