"""The progress of the running stage, as numbers. Whoever shows a run listens; without a listener nothing happens."""

from collections.abc import Mapping
from typing import Protocol

Figures = Mapping[str, float]
"""What is known so far: epoch, epochs, trial, and metrics by name."""


class Listener(Protocol):
    """Shows the progress of one stage at a time. Any thread may call it."""

    def start(self, total: int, unit: str) -> None: ...

    def advance(self, count: int, figures: Figures) -> None: ...


_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Sends all further progress to this listener, or to nobody."""
    global _listener
    _listener = listener


def start(total: int, unit: str) -> None:
    """Reports that a stage begins, which will handle `total` items of `unit`, such as images."""
    if _listener:
        _listener.start(total, unit)


def advance(count: int = 1, figures: Figures | None = None) -> None:
    """Reports that `count` more items are done, and what the metrics are now."""
    if _listener:
        _listener.advance(count, figures or {})


def tell(line: str) -> None:
    """Reports a line of text, such as the devices of a training run. A listener without `tell` has it printed."""
    getattr(_listener, "tell", print)(line)


def in_words(figures: Figures) -> str:
    """Returns the figures as text.

    Example:
        >>> in_words({"epoch": 2, "epochs": 3, "loss": 0.70014})
        'epoch 2/3 loss 0.7001'
    """
    words = []
    if "trial" in figures:
        words.append(f"trial {figures['trial']:.0f},")
    if "epoch" in figures:
        words.append(f"epoch {figures['epoch']:.0f}/{figures['epochs']:.0f}")
    counts = ("trial", "epoch", "epochs")
    words += [f"{name} {value:.4f}" for name, value in figures.items() if name not in counts]
    return " ".join(words)
