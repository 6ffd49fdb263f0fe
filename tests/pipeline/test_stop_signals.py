"""SIGTERM and Ctrl-C end a command, whatever libraries make of the KeyboardInterrupt."""

import os
import signal

import pytest

from efficientmixnet.pipeline.stop_signals import StopSignals

SIGNALS = [signal.SIGTERM, signal.SIGINT]


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
