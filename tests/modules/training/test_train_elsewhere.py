"""A training in another process tells what it does here, and ends here as it ended there."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.train_elsewhere import train_elsewhere
from efficientmixnet.modules.training.training_job import TrainingJob

JOB = TrainingJob(config=ModelConfig(), labels=["a"], train_files=["t"], eval_files=["e"], checkpoints="c")
PREAMBLE = f"""#!{sys.executable}
import json, os, signal, sys, time
job = json.loads(sys.stdin.readline())
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
say("start", 64, "images")
say("tell", f"{job['labels']} {os.environ['KERAS_BACKEND']} {os.environ['MORE']} {sys.argv[1:]}")
say("advance", 64, {"loss": 1.0})
say("logs", {"loss": 1.0})
"""
    )
    heard = Heard()
    assert train_elsewhere(JOB, {"MORE": "here"}, "weights.npz", heard) == {"loss": 1.0}
    words = "['a'] tensorflow here ['-m', 'efficientmixnet.modules.training.train_elsewhere', 'weights.npz']"
    assert heard.all == [("start", 64, "images"), ("tell", words), ("advance", 64, {"loss": 1.0})]


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
say("start", 1, "image")
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


class Kept:
    """A keeper that has one file, and refuses the folder `full`."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def fetch(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "epoch-0001.npz").write_text("weights")

    def keep(self, folder: Path) -> None:
        if folder.name == "full":
            raise BadInput("the store is full")
        self.kept.append(str(folder))


@pytest.fixture
def kept() -> Iterator[Kept]:
    keeper = Kept()
    checkpoint_copies.entrust(keeper)
    yield keeper
    checkpoint_copies.entrust(None)


ASKED = """
from pathlib import Path
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.train_elsewhere import ElsewhereKept
keeper = ElsewhereKept(say, sys.stdin)
"""


def test_copies_of_checkpoints_are_fetched_and_kept_from_here(other, kept: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    other(
        f"""{ASKED}
keeper.fetch(Path({str(folder)!r}))
found = os.listdir({str(folder)!r})
keeper.keep(Path({str(folder)!r}))
say("logs", {{"found": found}})
"""
    )
    assert train_elsewhere(JOB, listener=Heard()) == {"found": ["epoch-0001.npz"]}
    assert kept.kept == [str(folder)]


def test_a_copy_that_is_refused_is_refused_there(other, kept: Kept) -> None:
    other(
        f"""{ASKED}
try:
    keeper.keep(Path("full"))
except BadInput as error:
    say("bad_input", str(error))
    sys.exit(2)
"""
    )
    with pytest.raises(BadInput, match="the store is full"):
        train_elsewhere(JOB, listener=Heard())


def test_killed_while_its_copy_is_made_it_ends_as_killed(other, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    other("say('keep', str(os.getpid())); time.sleep(30)")
    monkeypatch.setattr(kept, "keep", lambda folder: os.kill(int(folder.name), signal.SIGKILL))
    with pytest.raises(RuntimeError, match="was killed by signal 9"):
        train_elsewhere(JOB, listener=Heard())
