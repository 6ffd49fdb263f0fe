"""Ration: lets something happen only as often as takes a share of the time, whatever it costs each time."""

import time


class Ration:
    """`with ration:` stands around what is rationed; the first time it is due at once."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._began = self._ended = time.monotonic()
        self._seconds = 0.0  # that it took last

    @property
    def is_due(self) -> bool:
        """Whether so much time has passed since the last time that the next one, if it costs as much, is its share."""
        return self._seconds <= self._share * (time.monotonic() - self._ended)

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()
        self._seconds = self._ended - self._began
