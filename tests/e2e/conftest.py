"""Fixtures for the tests of whole runs: the digits, a small configuration and the command."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import yaml

from efficientmixnet.pipeline.commands.digits import write_digits

SMALL = {
    "network": {
        "variant": "custom",
        "blocks": ["r1_k3_s22_e1_i8_o8_se0.25", "r1_k3.5_s22_e2_i8_o16_se0.25"],
        "stem_filters": 8,
        "head_filters": 32,
        "image_size": 16,
        "drop_connect": 0.0,
    },
    "training": {"epochs": 4, "batch_size": 32, "learning_rate": 0.01, "augmentation": {"flip": False}},
    "evaluation": {"thresholds": {"accuracy": 0.5}},
}

Completed = subprocess.CompletedProcess[str]

FORKED = """
import os
for descriptor, file in enumerate(files, 1):
    os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
from efficientmixnet.pipeline.cli import main
main(words)
"""


class Command:
    """The command efficientmixnet. Each call runs in a new process.

    The processes are forks of one that has imported TFX, because the import takes longer than most of these runs.
    """

    def __init__(self, folder: Path) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            ["efficientmixnet.pipeline.pipeline", "efficientmixnet.modules.trainer", "tensorflow_model_analysis"]
        )
        self.files = [str(folder / "stdout"), str(folder / "stderr")]

    def start(self, *arguments: object) -> BaseProcess:
        for file in self.files:
            Path(file).write_text("")
        names = {"words": list(map(str, arguments)), "files": self.files}
        process = self.context.Process(target=exec, args=(FORKED, names))
        process.start()
        return process

    def __call__(self, *arguments: object) -> Completed:
        """Runs the command and waits for it."""
        process = self.start(*arguments)
        process.join()
        return Completed(arguments, process.exitcode, *(Path(file).read_text() for file in self.files))


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Handwritten digits, with a folder of PNG files for each class."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    write_digits(folder)
    return folder


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> str:
    """A configuration that trains for a few seconds and gives a blessed model."""
    file = tmp_path_factory.mktemp("config") / "small.yaml"
    file.write_text(yaml.safe_dump({**SMALL, "data": {"images": str(digits)}}))
    return str(file)


@pytest.fixture(scope="session")
def efficientmixnet(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command with TFX already imported."""
    return Command(tmp_path_factory.mktemp("command"))


@pytest.fixture(scope="session")
def cold_efficientmixnet() -> Callable[..., Completed]:
    """The command in a new Python process."""

    def call(*arguments: object) -> Completed:
        words = [sys.executable, "-c", "from efficientmixnet.pipeline.cli import main; main()", *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603

    return call


@pytest.fixture(scope="session")
def summary() -> Callable[[Path], dict]:
    """Reads the summary of an output folder."""
    return lambda output: json.loads((output / "summary.json").read_text())
