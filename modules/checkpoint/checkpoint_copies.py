"""Copies of a checkpoint's folder where they outlive this machine; without a keeper there are none."""

from pathlib import Path
from typing import Protocol


class Keeper(Protocol):
    """Keeps a copy in a place that every worker of the training sees."""

    def fetch(self, folder: Path) -> None:
        """Brings the copy to a folder that is not there yet."""

    def keep(self, folder: Path) -> None:
        """Makes the copy what the folder is now."""


_keeper: Keeper | None = None


def entrust(keeper: Keeper | None) -> None:
    """All checkpoints from now on; None: to nobody."""
    global _keeper
    _keeper = keeper


def fetch(folder: Path) -> None:
    """Before a training is taken up."""
    if _keeper:
        _keeper.fetch(folder)


def keep(folder: Path) -> None:
    """After something new has been written."""
    if _keeper:
        _keeper.keep(folder)
