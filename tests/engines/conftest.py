"""Fixtures for runs on Beam's Prism with a pool of worker processes. `make test-engines` builds Prism."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from efficientmixnet.pipeline.commands.digits import write_digits

JOBS, WORKERS = 8073, 50000  # ports
LABELS = ("0", "1", "2")
FEW = 60  # images of each class
CONFIG = {
    "data": {"splits": {"train": 0.6, "eval": 0.4}},
    "network": {
        "variant": "custom",
        "blocks": ["r1_k3_s22_e1_i8_o8_se0.25"],
        "stem_filters": 8,
        "head_filters": 16,
        "image_size": 16,
        "drop_connect": 0.0,
    },
    "training": {"epochs": 1, "batch_size": 16},
    "evaluation": {"thresholds": {"accuracy": 0.0}},
}
ON_PRISM = {
    "runner": "portable",
    "arguments": [
        f"--job_endpoint=127.0.0.1:{JOBS}",
        "--environment_type=EXTERNAL",
        f"--environment_config=127.0.0.1:{WORKERS}",
        "--sdk_container_image=none",
    ],
}


@dataclass
class Run:
    """A run of the command in another process."""

    process: subprocess.Popen
    output: Path
    text: Path

    @property
    def log(self) -> str:
        """The log of the run so far."""
        return "".join(file.read_text() for file in sorted(self.output.glob("runs/*/log.txt"))[-1:])

    def end(self) -> "Run":
        """Waits for the end of the run."""
        self.process.wait(timeout=500)
        return self

    @property
    def summary(self) -> dict:
        """The summary of the run."""
        return json.loads((self.output / "summary.json").read_text())


@dataclass
class WorkerPool:
    """Beam's worker pool. It starts a process for every job that requests one."""

    process: subprocess.Popen

    def workers(self) -> set[int]:
        """The worker processes that are running."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task").glob("*/children")
        return {int(child) for file in children for child in file.read_text().split() if _lives(int(child))}

    def await_worker(self, run: Run, component: str) -> int:
        """Waits until the component's worker runs our code, and returns its process id."""
        before: set[int] = set()
        while f"Component {component} is running." not in run.log:
            assert run.process.poll() is None, run.text.read_text()
            before = self.workers()
            time.sleep(0.05)
        while True:
            assert run.process.poll() is None, run.text.read_text()
            for worker in self.workers() - before:
                if _runs_our_code(worker):  # Prism waits forever for a worker that is killed before.
                    return worker
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _runs_our_code(pid: int) -> bool:
    """Whether the worker runs our code, which begins with loading TensorFlow."""
    try:
        return "tensorflow" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    """Starts Prism and the worker pool for all tests."""
    prism = os.environ.get("PRISM")
    if not prism:
        pytest.skip("PRISM is not set to the path of Prism (run `make test-engines`)")
    reachable = [name for _, name in socket.if_nameindex() if name != "lo"]
    assert not reachable, f"the servers would listen on {reachable[0]}; run the tests in a network namespace"
    folder = tmp_path_factory.mktemp("engine")
    # The pool starts the first `python` in PATH.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    pool_command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={WORKERS}"]
    prism_command = [prism, f"--job_port={JOBS}", "--serve_http=false"]
    processes = []
    for name, command in (("pool", pool_command), ("prism", prism_command)):
        with (folder / name).open("w") as log:
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))  # noqa: S603
    for port in (WORKERS, JOBS):
        _await_port(port)
    yield WorkerPool(processes[0])
    for process in processes:
        process.terminate()
        process.wait(timeout=30)


def _await_port(port: int) -> None:
    for _ in range(600):
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port}")


@pytest.fixture(scope="session")
def on_prism() -> dict:
    """The section beam for Prism."""
    return ON_PRISM


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few handwritten digits."""
    every, few = tmp_path_factory.mktemp("data") / "digits", tmp_path_factory.mktemp("few")
    write_digits(every)
    for label in LABELS:
        (few / label).mkdir()
        for file in sorted((every / label).iterdir())[:FEW]:
            file.rename(few / label / file.name)
    return few


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Callable[..., Run]:
    """Starts a run with a section beam, in a new output folder or a given one."""

    def call(beam: dict, output: Path | None = None) -> Run:
        folder = tmp_path_factory.mktemp("run")
        config = folder / "config.yaml"
        values = {**CONFIG, "beam": beam}
        values["data"] = {**CONFIG["data"], "images": str(images)}
        config.write_text(yaml.safe_dump(values))
        output = output or folder / "runs"
        code = "from efficientmixnet.pipeline.cli import main; main()"
        words = [sys.executable, "-c", code, "run", str(config), "--output", str(output)]
        text = folder / "text"
        with text.open("w") as file:
            return Run(subprocess.Popen(words, stdout=file, stderr=file), output, text)  # noqa: S603

    return call
