"""Entry: one image as its source names it, before its bytes are read; LeftOut: one that is not trained on."""

from dataclasses import dataclass

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One image: a file, or a part of one.

    Where a file holds many images, `offset` and `size` say which bytes are this one's; in a file that can only be
    read from its beginning, `row` says it instead, counting its records from 0.
    """

    path: str  # of the file, as the reading process sees it
    name: str  # relative to the data folder, with forward slashes
    label: str
    split: str | None = None  # None: by the hash of its name
    columns: tuple[tuple[str, str], ...] = ()  # further features: name and value
    offset: int | None = None
    size: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One file that is not trained on, and why."""

    name: str
    reason: str
    counts: bool = True  # towards the share of bad images at which the run stops

    def row(self) -> tuple[str, str]:
        return self.name, self.reason
