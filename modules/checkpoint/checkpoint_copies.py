"""Copies the folder of checkpoints to a store that outlives this machine. Without a store there are no copies."""

from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """A place for copies that all workers of the training can reach."""

    def fetch(self, folder: Path) -> None:
        """Copies the store's checkpoints to a folder that does not exist yet."""

    def keep(self, folder: Path) -> None:
        """Makes the store's copy equal to the folder."""


_store: Store | None = None


def use_store(store: Store | None) -> None:
    """Copies all checkpoints to this store from now on; None: to no store."""
    global _store
    _store = store


def fetch(folder: Path) -> None:
    """Fetches the copy before a training resumes."""
    if _store:
        _store.fetch(folder)


def keep(folder: Path) -> None:
    """Updates the copy after a checkpoint has been written."""
    if _store:
        _store.keep(folder)
