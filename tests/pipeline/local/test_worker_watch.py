"""Tests that the end of a worker process interrupts the main thread."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apache_beam as beam
import pytest

from efficientmixnet.modules.exceptions import WorkerEnded
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS, BeamConfig
from efficientmixnet.pipeline.local.worker_watch import interrupted_when_a_worker_ends


def _fail() -> None:
    raise RuntimeError("exited with return code -9")


def test_the_end_of_a_worker_interrupts_the_main_thread() -> None:
    began = time.monotonic()
    with pytest.raises(WorkerEnded, match=r"^exited with return code -9$"), interrupted_when_a_worker_ends():
        threading.Thread(name="run_worker", target=_fail).start()
        threading.Event().wait(20)
    assert time.monotonic() - began < 10


def test_errors_of_other_threads_are_reported_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: messages.append(str(failure.exc_value)))
    with interrupted_when_a_worker_ends():
        thread = threading.Thread(target=_fail)
        thread.start()
        thread.join()
    assert messages == ["exited with return code -9"]


def test_signal_handler_and_hook_are_restored() -> None:
    before = signal.getsignal(signal.SIGUSR1), threading.excepthook
    with interrupted_when_a_worker_ends():
        pass
    assert (signal.getsignal(signal.SIGUSR1), threading.excepthook) == before


def test_outside_the_main_thread_the_body_just_runs() -> None:
    before = threading.excepthook

    def body() -> object:
        with interrupted_when_a_worker_ends():
            return threading.excepthook

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(body).result() is before


@pytest.mark.slow
def test_a_killed_worker_process_ends_the_beam_pipeline(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def die(_: int) -> None:  # a local function, because the workers cannot import this file
        Path(folder, str(os.getpid())).touch()
        time.sleep(1)
        if len(os.listdir(folder)) > 1:  # Both processes have started.
            os.kill(os.getpid(), signal.SIGKILL)

    processes = BeamConfig(workers=2).args_of_transform(0)
    with (
        pytest.raises(WorkerEnded, match=r"exited with return code (-9|137)"),
        interrupted_when_a_worker_ends(),
        beam.Pipeline(argv=[*IN_PROCESS, *processes]) as pipeline,
    ):
        _ = pipeline | beam.Create(range(100)) | beam.Reshuffle() | beam.Map(die)
