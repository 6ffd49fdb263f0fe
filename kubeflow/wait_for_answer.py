"""wait_for_answer: calls a server again until it answers, within a time limit."""

import time
from collections.abc import Callable
from typing import TypeVar

import tenacity

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import ServerFailed, ServerUnavailable

Answer = TypeVar("Answer")


def wait_for_answer(
    call: Callable[[], Answer],
    server: str,
    seconds: float,
    pause: float,
    longest_pause: float | None = None,
    retry_on: type[ServerFailed] = ServerUnavailable,
) -> Answer:
    """Returns what `call` returns, and repeats the call while the server does not answer.

    Prints one line when the server stops answering, and one when it answers again.

    Args:
        call: The request. It runs once or several times.
        server: What the second line calls the server.
        seconds: How long to repeat the call.
        pause: Seconds before the first repetition. Each pause is twice as long as the one before.
        longest_pause: The longest pause in seconds. By default every pause lasts `pause` seconds.
        retry_on: The error after which the call is repeated. The first line shows its message.

    Raises:
        ServerFailed: The last error, if the server did not answer in time.
    """
    began, was_away = time.monotonic(), False

    def report(state: tenacity.RetryCallState) -> None:
        nonlocal was_away
        if not was_away and state.outcome:
            progress.tell(f"{state.outcome.exception()}; trying again for {seconds:g} s")
        was_away = True

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(retry_on),
        wait=tenacity.wait_exponential(multiplier=pause, max=longest_pause or pause),
        stop=tenacity.stop_before_delay(seconds),
        before_sleep=report,
        reraise=True,
    )
    answer = attempts(call)
    if was_away:
        progress.tell(f"{server} answers again after {time.monotonic() - began:.0f} s")
    return answer
