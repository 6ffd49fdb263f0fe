"""Fixtures for the faults: a tiny dataset, the command in a separate process, and the result of a whole run."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

TINY = {
    "network": {
        "variant": "custom",
        "blocks": ["r1_k3_s22_e1_i8_o8"],
        "stem_filters": 8,
        "head_filters": 8,
        "image_size": 16,
        "drop_connect": 0.0,
    },
    "training": {"epochs": 1, "batch_size": 16, "deterministic": True, "augmentation": {"flip": False}},
    "evaluation": {"thresholds": {"accuracy": 0.01}},
}
_INSTALLED = Path(sys.executable).with_name("efficientmixnet")
_FAULTY = (sys.executable, Path(__file__).with_name("faulty_command.py"))


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    `err` leaves out the lines that say what the command does next. They end with three dots.
    """

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """The installed command, in a separate process."""

    config: Path
    an_image: Path

    def __call__(self, *words: object) -> Ended:
        return _wait(_start(_INSTALLED, *words))

    def start(self, output: Path, *words: object) -> subprocess.Popen:
        """Starts a run."""
        return _start(_INSTALLED, "run", self.config, "--output", output, *words)

    def run(self, output: Path, *words: object) -> Ended:
        """Runs the pipeline."""
        return _wait(self.start(output, *words))

    def run_with_fault(self, component: str, seconds: float, fault: str, output: Path, *words: object) -> Ended:
        """Runs the pipeline. faulty_command.py describes the faults."""
        return _wait(
            _start(*_FAULTY, component, seconds, fault, output, "run", self.config, "--output", output, *words)
        )


def _start(*words: object) -> subprocess.Popen:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*map(str, words)], text=True, **pipes)  # noqa: S603


def _wait(process: subprocess.Popen) -> Ended:
    out, err = process.communicate()
    errors = [line for line in err.strip().splitlines() if not line.endswith(" ...")]
    return Ended(process.returncode, out, "\n".join(errors))


@pytest.fixture(scope="session")
def result() -> Callable[[Path], tuple[dict[str, float], bytes]]:
    """Returns the metrics and the weights of the pushed model. They are the same for every undisturbed run."""

    def read(output: Path) -> tuple[dict[str, float], bytes]:
        summary = json.loads((output / "summary.json").read_text())
        assert summary["state"] == "pushed"
        (weights,) = Path(summary["pushed_model"], "variables").glob("variables.data-*")
        return summary["metrics"], weights.read_bytes()

    return read


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command. Its configuration has 120 images of 16 x 16 pixels in two classes, and trains for one epoch."""
    folder = tmp_path_factory.mktemp("tiny")
    random = np.random.default_rng(0)
    for label, darkest in (("dark", 0), ("light", 128)):
        (folder / "images" / label).mkdir(parents=True)
        for number in range(60):
            pixels = random.integers(darkest, darkest + 128, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / label / f"{number:03}.png")
    (folder / "tiny.yaml").write_text(yaml.safe_dump({**TINY, "data": {"images": str(folder / "images")}}))
    return Command(folder / "tiny.yaml", folder / "images" / "dark" / "000.png")


@dataclass(frozen=True)
class Whole:
    """An undisturbed run, and a second run that was started in the same folder at the same time."""

    output: Path
    first: Ended
    second: Ended
    run: str
    result: tuple[dict[str, float], bytes]


@pytest.fixture(scope="session")
def whole(
    command: Command, result: Callable[[Path], tuple[dict[str, float], bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Whole:
    output = tmp_path_factory.mktemp("whole")
    first = command.start(output)
    while not (output / "summary.json").exists():
        assert first.poll() is None
        time.sleep(0.1)
    second = command.run(output)
    ended = _wait(first)
    run = json.loads((output / "summary.json").read_text())["run"]
    return Whole(output, ended, second, run, result(output))


@pytest.fixture(scope="session")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 100 MiB. The tests that use it are skipped if this user may not mount one."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607
