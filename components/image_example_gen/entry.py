"""Entry: an image in its source, before its bytes are read. LeftOut: an image that is not used, and why."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from efficientmixnet.modules.exceptions import BadImage

SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
        *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
        *(".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".pcx", ".sgi"),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One image: a file, or a part of a file.

    Args:
        path: The file's path on the machine that reads it.
        name: The name relative to the data folder, with forward slashes.
        label: The class.
        split: The split; None to choose it by the hash of the name.
        columns: Further features, as pairs of name and value.
        offset: The position of the image's first byte in a file of many images.
        size: The number of the image's bytes in such a file.
        row: The number of the image's record, from 0, in a file that can only be read from its beginning.
    """

    path: str
    name: str
    label: str
    split: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    offset: int | None = None
    size: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not used.

    Args:
        name: The file's name.
        reason: Why, as the rest of a sentence that starts with the name.
        counts: Whether the file counts towards data.max_left_out.
    """

    name: str
    reason: str
    counts: bool = True

    @classmethod
    def because(cls, name: str, error: BadImage | OSError) -> "LeftOut":
        """Returns the file with the error as its reason.

        A file with another suffix than an image's, such as notes.txt, does not count.
        """
        suffix = PurePosixPath(name).suffix.lower()
        reason = f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        return cls(name, reason, counts=suffix in SUFFIXES or not suffix)

    def row(self) -> tuple[str, str]:
        """Returns the row for left_out.csv."""
        return self.name, self.reason
