"""A training in another process tells what it does here, and ends here as it ended there."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.training_config import ModelConfig
from efficientmixnet.modules.training_job import TrainingJob
from efficientmixnet.modules.training_process import train_elsewhere

JOB = TrainingJob(config=ModelConfig(), labels=["a"], train_files=["t"], eval_files=["e"], checkpoints="c")
PREAMBLE = f"""#!{sys.executable}
import json, os, signal, sys, time
job = json.load(sys.stdin)
def say(*words): print(json.dumps(words), flush=True)
"""


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program in the place of Python, so that it, and no training, is the other process."""

    def put(program: str) -> None:
        file = tmp_path / "python"
        file.write_text(PREAMBLE + program)
        file.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(file))

    return put


class Heard:
    def __init__(self) -> None:
        self.all: list[tuple] = []

    def start(self, *words: object) -> None:
        self.all.append(("start", *words))

    def advance(self, *words: object) -> None:
        self.all.append(("advance", *words))

    def tell(self, *words: object) -> None:
        self.all.append(("tell", *words))


def test_the_job_goes_there_and_progress_and_result_come_back(other) -> None:
    other(
        """
say("start", 64, "pictures")
say("tell", f"{job['labels']} {os.environ['KERAS_BACKEND']} {os.environ['MORE']} {sys.argv[1:]}")
say("advance", 64, "loss 1")
say("logs", {"loss": 1.0})
"""
    )
    heard = Heard()
    assert train_elsewhere(JOB, {"MORE": "here"}, "weights.npz", heard) == {"loss": 1.0}
    words = "['a'] tensorflow here ['-m', 'efficientmixnet.modules.training_process', 'weights.npz']"
    assert heard.all == [("start", 64, "pictures"), ("tell", words), ("advance", 64, "loss 1")]


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        ("say('bad_input', 'training.epochs: too few'); sys.exit(2)", BadInput, "training.epochs: too few"),
        ("sys.exit(143)", SystemExit, "143"),
        ("sys.exit(1)", RuntimeError, "ended with code 1$"),
        ("os.kill(os.getpid(), 9)", RuntimeError, "was killed by signal 9, as it is when memory is full"),
    ],
)
def test_it_ends_here_as_it_ended_there(other, program: str, error: type[BaseException], message: str) -> None:
    other(program)
    with pytest.raises(error, match=message):
        train_elsewhere(JOB)


def test_sigterm_lets_the_other_process_save_itself_first(other, monkeypatch: pytest.MonkeyPatch) -> None:
    other(
        """
def save(*_):
    time.sleep(0.2)
    say("tell", "saved")
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
say("start", 1, "picture")
time.sleep(30)
"""
    )
    heard = Heard()
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as in a container

    def terminate() -> None:
        while not heard.all:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        with pytest.raises(SystemExit) as ended:
            train_elsewhere(JOB, listener=heard)
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 143
    assert heard.all[-1] == ("tell", "saved")
