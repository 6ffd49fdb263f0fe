"""A server that does not answer is called again, with growing pauses, until the time is over."""

from collections.abc import Callable
from typing import Any

import pytest

from efficientmixnet.kubeflow.wait_for_answer import wait_for_answer
from efficientmixnet.modules.exceptions import RequestRefused, ServerUnavailable


def _silent_for(seconds: float, clock: Any, calls: list[float]) -> Callable[[], str]:
    def call() -> str:
        calls.append(clock.now)
        if clock.now < seconds:
            raise ServerUnavailable("the server does not answer (503)")
        return "answer"

    return call


def test_pauses_double_up_to_the_longest_and_two_lines_are_printed(
    clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[float] = []
    assert wait_for_answer(_silent_for(16, clock, calls), "the server", 60, 1, longest_pause=5) == "answer"
    assert calls == [0, 1, 3, 7, 12, 17]  # pauses of 1, 2, 4, 5 and 5 seconds
    assert capsys.readouterr().out.splitlines() == [
        "the server does not answer (503); trying again for 60 s",
        "the server answers again after 17 s",
    ]


def test_pauses_are_equal_without_a_longest_one(clock: Any) -> None:
    calls: list[float] = []
    wait_for_answer(_silent_for(12, clock, calls), "the server", 60, 5)
    assert calls == [0, 5, 10, 15]


def test_the_last_error_is_raised_before_the_time_is_exceeded(clock: Any) -> None:
    calls: list[float] = []
    with pytest.raises(ServerUnavailable, match=r"^the server does not answer \(503\)$"):
        wait_for_answer(_silent_for(1e9, clock, calls), "the server", 12, 5)
    assert calls == [0, 5, 10]


def test_a_refusal_is_raised_at_once_and_nothing_is_printed(clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise RequestRefused(403, "forbidden")

    with pytest.raises(RequestRefused, match="forbidden"):
        wait_for_answer(refuse, "the server", 60, 1)
    assert (clock.now, capsys.readouterr().out) == (0.0, "")


def test_an_answer_at_the_first_attempt_prints_nothing(clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert wait_for_answer(lambda: "answer", "the server", 60, 1) == "answer"
    assert capsys.readouterr().out == ""


def test_an_interrupt_ends_the_wait(clock: Any) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait_for_answer(interrupt, "the server", 60, 1)
    assert clock.now == 0.0
