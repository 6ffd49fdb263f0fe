"""Tests of live_page, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

RUN = """
import sys
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.local import local_runner

def wait_for_a_line(*_):
    sys.stdin.readline()
    raise RuntimeError("the pipeline ended")

local_runner._run_pipeline = wait_for_a_line
local_runner.run(Config.model_validate_json(sys.argv[1]), live=True)
"""
PATIENCE = 120  # seconds


@contextmanager
def _run(output: Path, images: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A run whose pipeline waits for a line of standard input, and the address of its page."""
    for name in ("train/cat", "train/dog", "eval/cat", "eval/dog"):
        (images / name).mkdir(parents=True)
        (images / name / "1.png").write_text("image")
    layout = {"split_files": {"train": "train", "eval": "eval"}}
    config = json.dumps({"output": str(output), "data": {"images": str(images), "layout": layout}})
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", RUN, config], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        line = next(line for line in run.stdout if "live page" in line)
        try:
            yield run, line.split()[-1]
        finally:
            run.kill()


def _tags(address: str) -> Any:
    with urllib.request.urlopen(f"{address}data/plugin/scalars/tags") as answer:  # noqa: S310
        return json.load(answer)


def _wait_until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def _is_served(address: str) -> bool:
    try:
        return bool(_tags(address) is not None)
    except OSError:
        return False


def test_the_page_shows_curves_that_training_writes_and_ends_with_the_run(tmp_path: Path) -> None:
    output = tmp_path / "runs"
    with _run(output, tmp_path / "images") as (run, address):
        assert address.startswith("http://127.0.0.1:")
        assert _tags(address) == {}
        with tf.summary.create_file_writer(str(output / "checkpoints/ab12/logs/train")).as_default(step=1):
            tf.summary.scalar("epoch_loss", 0.5)
        _wait_until(lambda: "epoch_loss" in _tags(address).get("checkpoints/ab12/logs/train", {}))
        assert run.stdin
        run.stdin.write("\n")
        run.stdin.flush()
        run.wait(PATIENCE)
        assert not _is_served(address)


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_page_ends_with_a_run_that_is_stopped(tmp_path: Path, kind: signal.Signals) -> None:
    with _run(tmp_path / "runs", tmp_path / "images") as (run, address):
        assert _is_served(address)
        os.kill(run.pid, kind)
        run.wait(PATIENCE)
        _wait_until(lambda: not _is_served(address))


def test_a_server_that_does_not_start_is_told_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "__init__.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with _run(tmp_path / "runs", tmp_path / "images") as (run, last_word):
        assert last_word == "reason"
        assert run.poll() is None
        (log,) = (tmp_path / "runs").glob("runs/*/log.txt")
        _wait_until(lambda: "broken" in log.read_text())  # The run copies the output of the server to its log.
