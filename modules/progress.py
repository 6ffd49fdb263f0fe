"""How far the running stage is, told to whoever shows the run; without a listener nothing happens."""

from typing import Protocol


class Listener(Protocol):
    """Shows the progress of one stage at a time; called from any thread."""

    def start(self, total: int, unit: str) -> None: ...

    def advance(self, count: int, figures: str) -> None: ...


_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Sends all further progress to this listener; None for nobody."""
    global _listener
    _listener = listener


def start(total: int, unit: str) -> None:
    """A stage begins that will handle `total` of `unit`, such as images."""
    if _listener:
        _listener.start(total, unit)


def advance(count: int = 1, figures: str = "") -> None:
    """So many more are done; `figures` is shown beside the bar, such as the loss."""
    if _listener:
        _listener.advance(count, figures)


def tell(line: str) -> None:
    """Something worth knowing, once, such as the devices of a training; printed where the listener has no `tell`."""
    getattr(_listener, "tell", print)(line)
