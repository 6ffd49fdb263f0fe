"""SIGTERM and Ctrl-C end a command, whatever libraries make of the KeyboardInterrupt."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficientmixnet.pipeline.stop_signals import StopSignals

SIGNALS = [signal.SIGTERM, signal.SIGINT]

# A library that drops each KeyboardInterrupt, and a call of C that never returns.
HANGS = {
    "Python": "while True:\n        try: time.sleep(60)\n        except KeyboardInterrupt: pass",
    "C": "ctypes.CDLL(None).pthread_mutex_lock(mutex)",
}
PROGRAM = """
import ctypes, sys, time
from pathlib import Path
from efficientmixnet.pipeline import stop_signals
stop_signals._GRACE = 0.2
mutex = ctypes.create_string_buffer(64)  # all zeros: unlocked
ctypes.CDLL(None).pthread_mutex_lock(mutex)
with stop_signals.StopSignals(lambda: Path(sys.argv[1]).write_text("interrupted")):
    print("ready", flush=True)
    {hang}
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_raises_keyboard_interrupt_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    with pytest.raises(KeyboardInterrupt), StopSignals():
        os.kill(os.getpid(), number)
    assert [signal.getsignal(one) for one in SIGNALS] == before


@pytest.mark.parametrize("error", [RuntimeError("KeyboardInterrupt"), ValueError(), SystemExit(1)])
def test_an_error_after_a_signal_is_an_interruption(error: BaseException) -> None:
    with pytest.raises(KeyboardInterrupt), StopSignals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise error from None


def test_an_error_without_a_signal_passes_unchanged() -> None:
    with pytest.raises(ValueError, match="seven"), StopSignals():
        raise ValueError("seven")


def test_an_inner_context_hands_the_interruption_to_the_outer_one() -> None:
    with pytest.raises(KeyboardInterrupt), StopSignals(), StopSignals():
        os.kill(os.getpid(), signal.SIGTERM)


def test_two_signals_at_once_count_as_one() -> None:
    """`timeout` sends one to the process, and one to its group."""
    cleaned = False
    with pytest.raises(KeyboardInterrupt), StopSignals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned = True
    assert cleaned


def test_a_training_process_that_was_terminated_alone_is_an_interruption() -> None:
    with pytest.raises(KeyboardInterrupt), StopSignals():
        raise SystemExit(143)


@pytest.mark.parametrize("place", HANGS)
def test_a_second_signal_ends_a_process_that_hangs(place: str, tmp_path: Path) -> None:
    words = [sys.executable, "-c", PROGRAM.replace("{hang}", HANGS[place]), str(tmp_path / "summary")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        time.sleep(1.2)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, shown = process.communicate(timeout=20)
    assert process.returncode == 130
    assert shown == "interrupted: ended at once after a second signal; run the command again to continue\n"
    assert (tmp_path / "summary").read_text() == "interrupted"
