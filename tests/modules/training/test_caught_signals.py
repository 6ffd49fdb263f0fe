"""Caught signals wait until the process is ready for them."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from efficientmixnet.modules.training import caught_signals
from efficientmixnet.modules.training.caught_signals import CaughtSignals


@pytest.fixture(autouse=True)
def interrupt() -> Iterator[None]:
    """A handler that raises KeyboardInterrupt, as commands have it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_signal_waits_until_it_is_delivered() -> None:
    called: list[int] = []
    with CaughtSignals(lambda: called.append(1)) as signals:
        os.kill(os.getpid(), signal.SIGTERM)
    assert (signals.caught, called) == (signal.SIGTERM, [1])
    with pytest.raises(KeyboardInterrupt):
        signals.deliver()


def test_two_signals_at_once_count_as_one() -> None:
    """`timeout` sends one to the process, and one to its group."""
    called: list[int] = []
    with CaughtSignals(lambda: called.append(1)):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert called == [1]


def test_a_later_signal_has_its_usual_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caught_signals, "_SAME", 0.01)
    with pytest.raises(KeyboardInterrupt), CaughtSignals():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
