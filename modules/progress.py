"""The progress of the running stage, as numbers. A listener shows them. Without a listener nothing is shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from efficientmixnet.modules.text.printable import printable

Figures = Mapping[str, float]
"""Named values of the stage so far: trial, epoch, epochs and metrics."""


class Listener(Protocol):
    """Shows the progress of one stage at a time. Any thread may call it."""

    def start(self, total: int, unit: str) -> None: ...

    def advance(self, count: int, figures: Figures) -> None: ...


_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Sends all progress from now on to this listener; None: to no listener."""
    global _listener
    _listener = listener


@contextmanager
def nothing_shown() -> Iterator[None]:
    """Shows no progress of what runs inside, such as the short epochs of a measurement."""
    before = _listener
    listen(_Nothing())
    try:
        yield
    finally:
        listen(before)


class _Nothing:
    """A listener that shows nothing."""

    def start(self, total: int, unit: str) -> None: ...

    def advance(self, count: int, figures: Figures) -> None: ...

    def tell(self, line: str) -> None: ...


def start(total: int, unit: str) -> None:
    """Reports the start of a stage that processes `total` items. `unit` names them, such as "images"."""
    if _listener:
        _listener.start(total, unit)


def advance(count: int = 1, figures: Figures | None = None) -> None:
    """Reports that `count` more items are done, and the current figures."""
    if _listener:
        _listener.advance(count, figures or {})


def tell(line: str) -> None:
    """Reports a line of text, such as the devices of a training. It is printed if the listener has no `tell`."""
    getattr(_listener, "tell", print)(printable(line))


def as_text(figures: Figures) -> str:
    """Returns the figures as text.

    Example:
        >>> as_text({"epoch": 2, "epochs": 3, "loss": 0.70014})
        'epoch 2/3 loss 0.7001'
    """
    parts = []
    if "trial" in figures:
        parts.append(f"trial {figures['trial']:.0f},")
    if "epoch" in figures:
        parts.append(f"epoch {figures['epoch']:.0f}/{figures['epochs']:.0f}")
    counts = ("trial", "epoch", "epochs")
    parts += [f"{name} {value:.4f}" for name, value in figures.items() if name not in counts]
    return " ".join(parts)
