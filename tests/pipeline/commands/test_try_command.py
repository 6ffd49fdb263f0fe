"""Tests of the command try: it serves until it is stopped, and says why it cannot."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from efficientmixnet.pipeline.cli import main

COMMAND = [sys.executable, "-c", "from efficientmixnet.pipeline.supervisor import main; main()", "try"]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory, push_brightness: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("output")
    push_brightness(folder / "pushed" / "7", "bright", "dark")
    return folder


def test_the_page_is_served_until_ctrl_c(output: Path) -> None:
    process = subprocess.Popen(  # noqa: S603
        [*COMMAND, str(output)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    url = re.fullmatch(r"(http://127\.0\.0\.1:\d+/)  \(Ctrl-C stops\)\n", process.stdout.readline())
    assert url
    with urllib.request.urlopen(url[1]) as answer:  # noqa: S310
        assert f"<code>{output}/pushed/7</code>, 2 classes" in answer.read().decode()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "loading TensorFlow ...\nstopped\n")


def test_a_port_in_use_is_refused(output: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        result = CliRunner().invoke(main, ["try", str(output), "--port", str(port)])
    assert result.exit_code == 2
    assert f"error: --port {port}: cannot be used: Address already in use; give another one" in result.output


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["try", str(tmp_path)])
    assert result.exit_code == 2
    assert f"error: {tmp_path}: has no model" in result.output
