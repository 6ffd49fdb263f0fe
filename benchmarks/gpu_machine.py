"""GpuMachine: runs scripts of this folder with carried packages, until the time is over."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

HERE = Path(__file__).resolve().parent


class GpuMachine:
    """This machine, with the carried packages unpacked in a temporary folder.

    Args:
        folder: An empty folder, for packages and the caches of compilers.
        carried: The folder that on_gpu.sh prepared.
        seconds: After this time, running scripts are ended.
    """

    def __init__(self, folder: Path, carried: Path, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        site = folder / "site"
        for wheel in carried.glob("*.whl"):
            with ZipFile(wheel) as archive:
                archive.extractall(site)
        (folder / "efficientmixnet").mkdir()
        (folder / "efficientmixnet" / "modules").symlink_to(HERE.parent / "modules")
        sys.path.insert(0, str(site))  # so that versions are found here too
        self._environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (site, folder))),
            "KERAS_BACKEND": "jax",
            "KERAS_HOME": str(folder),
            "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # JAX and PyTorch share the card
        }

    @property
    def card(self) -> str:
        """The name of the GPU; CPU if there is none."""
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        try:
            found = subprocess.run(query, capture_output=True, text=True, check=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError):
            return "CPU"
        return found.stdout.splitlines()[0].strip()

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._until - time.monotonic()

    def run(self, *command: str, most: float = math.inf) -> str:
        """Runs a script with arguments for at most so many seconds, and returns its output.

        Raises:
            TimeoutError: The time is over.
            RuntimeError: The script failed. The message is its last line.
        """
        left = min(self.left, most)
        if left <= 0:
            raise TimeoutError
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(HERE / command[0]), *command[1:]],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the processes of PyTorch's compiler
            process.communicate()
            raise TimeoutError from None
        if process.returncode:
            raise RuntimeError((errors.strip().splitlines() or ["no message"])[-1])
        return output
