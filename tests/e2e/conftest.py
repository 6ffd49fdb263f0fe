"""What the tests of whole runs share: the digits, a small configuration and the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from efficientmixnet.pipeline.digits import write_digits

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

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Handwritten digits, a folder of PNG files per class."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    write_digits(folder)
    return folder


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> str:
    """A configuration that trains within seconds, and well enough to be blessed."""
    file = tmp_path_factory.mktemp("config") / "small.yaml"
    file.write_text(yaml.safe_dump({**SMALL, "data": {"pictures": str(digits)}}))
    return str(file)


@pytest.fixture(scope="session")
def command_line() -> list[str]:
    """The command efficientmixnet."""
    return [sys.executable, "-c", "from efficientmixnet.pipeline.cli import main; main()"]


@pytest.fixture(scope="session")
def efficientmixnet(command_line: list[str]) -> Command:
    """Runs the command, in a process of its own, to its end."""

    def call(*arguments: object) -> "subprocess.CompletedProcess[str]":
        words = [*command_line, *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603

    return call


@pytest.fixture(scope="session")
def summary() -> Callable[[Path], dict]:
    """Reads the summary of an output folder."""
    return lambda output: json.loads((output / "summary.json").read_text())
