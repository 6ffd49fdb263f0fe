"""A training in another process reports its progress to this one, and passes on how it ends."""

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
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
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
    """Replaces Python with a program, which then runs as the other process instead of a training."""

    def put(program: str) -> None:
        file = tmp_path / "python"
        file.write_text(PREAMBLE + program)
        file.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(file))

    return put


class Listener:
    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def start(self, *arguments: object) -> None:
        self.calls.append(("start", *arguments))

    def advance(self, *arguments: object) -> None:
        self.calls.append(("advance", *arguments))

    def tell(self, *arguments: object) -> None:
        self.calls.append(("tell", *arguments))


def test_the_process_gets_the_job_and_returns_progress_and_logs(other) -> None:
    other(
        """
say("start", 64, "images")
say("tell", f"{job['labels']} {os.environ['KERAS_BACKEND']} {os.environ['MORE']} {sys.argv[1:]}")
say("advance", 64, {"loss": 1.0})
say("logs", {"loss": 1.0})
"""
    )
    listener = Listener()
    assert train_elsewhere(JOB, {"MORE": "here"}, "weights.npz", listener) == {"loss": 1.0}
    words = "['a'] tensorflow here ['-m', 'efficientmixnet.modules.training.train_elsewhere', 'weights.npz']"
    assert listener.calls == [("start", 64, "images"), ("tell", words), ("advance", 64, {"loss": 1.0})]


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        ("say('bad_input', 'training.epochs: too few'); sys.exit(2)", BadInput, "training.epochs: too few"),
        ("sys.exit(143)", SystemExit, "143"),
        ("say('hello'); time.sleep(30)", ValueError, "unknown message 'hello'"),
        ("sys.exit(1)", RuntimeError, "ended with code 1$"),
        ("say('failed', 'KeyError: 1'); sys.exit(1)", RuntimeError, "ended with code 1: KeyError: 1$"),
        ("os.kill(os.getpid(), 9)", OutOfMemory, "signal 9 ended its process, .* lower training.batch_size"),
        ("os.kill(os.getpid(), 6)", RuntimeError, "was killed by signal 6$"),
        ("say('out_of_memory', 'halve training.batch_size'); sys.exit(1)", OutOfMemory, "^halve training.batch_size$"),
    ],
)
def test_the_end_of_the_process_is_passed_on(other, program: str, error: type[BaseException], message: str) -> None:
    other(program)
    with pytest.raises(error, match=message):
        train_elsewhere(JOB)


def test_after_sigterm_the_other_process_saves_first(other, monkeypatch: pytest.MonkeyPatch) -> None:
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
    listener = Listener()
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as in a container

    def terminate() -> None:
        while not listener.calls:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        with pytest.raises(SystemExit) as ended:
            train_elsewhere(JOB, listener=listener)
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 143
    assert listener.calls[-1] == ("tell", "saved")


class Store:
    """A store with one file. It refuses the folder `full`."""

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
def store() -> Iterator[Store]:
    store = Store()
    checkpoint_copies.use_store(store)
    yield store
    checkpoint_copies.use_store(None)


USE_STORE = """
from pathlib import Path
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.train_elsewhere import ParentStore
store = ParentStore(say, sys.stdin)
"""


def test_this_process_fetches_and_keeps_copies_of_checkpoints(other, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    other(
        f"""{USE_STORE}
store.fetch(Path({str(folder)!r}))
found = os.listdir({str(folder)!r})
store.keep(Path({str(folder)!r}))
say("logs", {{"found": found}})
"""
    )
    assert train_elsewhere(JOB, listener=Listener()) == {"found": ["epoch-0001.npz"]}
    assert store.kept == [str(folder)]


def test_the_other_process_gets_the_refusal_of_a_copy(other, store: Store) -> None:
    other(
        f"""{USE_STORE}
try:
    store.keep(Path("full"))
except BadInput as error:
    say("bad_input", str(error))
    sys.exit(2)
"""
    )
    with pytest.raises(BadInput, match="the store is full"):
        train_elsewhere(JOB, listener=Listener())


def test_a_kill_during_a_copy_is_reported_as_a_kill(other, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other("say('keep', str(os.getpid())); time.sleep(30)")
    monkeypatch.setattr(store, "keep", lambda folder: os.kill(int(folder.name), signal.SIGKILL))
    with pytest.raises(RuntimeError, match="signal 9 ended its process"):
        train_elsewhere(JOB, listener=Listener())
