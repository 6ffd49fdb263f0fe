"""Entry: an image in its source, before its bytes are read. LeftOut: an image that is not used, and why."""

import errno
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen import skipped
from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES
from efficientmixnet.modules.exceptions import BadImage
from efficientmixnet.modules.text.character_to_refuse import character_to_refuse
from efficientmixnet.modules.text.secrets import mask, mask_urls

MAX_IMAGE_BYTES = 500_000_000
"""The largest size of an encoded image, unless data.max_image_bytes sets another one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image: a file, or a part of a file. Passwords and signatures in URLs are masked, except in the path.

    Args:
        path: The file's path on the machine that reads it.
        name: The name relative to the data folder, with forward slashes.
        label: The class.
        split: The split; None to choose it by the hash of the name.
        columns: Further features, as pairs of name and value.
        offset: The position of the image's first byte in a file of many images.
        size: The number of the image's bytes in such a file.
        row: The number of the image's record, from 0, in a file that can only be read from its beginning.
        original: The label in the data, which decides the split, if a correction has replaced it.
        listed: The size of the file and File.changed when it was listed; None to read any file.
        unreadable: Why the image cannot be read, if that is known.
    """

    path: str
    name: str
    label: str
    split: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    offset: int | None = None
    size: int | None = None
    row: int | None = None
    original: str | None = field(default=None, repr=False)
    listed: tuple[int, str] | None = field(default=None, compare=False, repr=False)
    unreadable: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", mask_urls(self.name))
        object.__setattr__(self, "label", mask_urls(self.label))
        object.__setattr__(self, "columns", tuple((name, mask_urls(value)) for name, value in self.columns))

    @property
    def fault(self) -> str | None:
        """Why the entry cannot be used: a character in one of its texts."""
        character = character_to_refuse(self.name, self.label, self.split or "", *map("".join, self.columns))
        return f"has a character that is not text in its name, label or columns ({character})" if character else None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not used. Secrets in its name and in the reason are masked.

    Args:
        name: The file's name.
        reason: Why, as the rest of a sentence that starts with the name.
        counts: Whether the file counts towards data.max_left_out.
        is_folder: Whether it is a folder with an unknown number of images.
        images: The number of images that it stands for; 0 for the rest of a file of many images, until it is estimated.
        split: The split that the data names for it, in any spelling.
    """

    name: str
    reason: str
    counts: bool = True
    is_folder: bool = False
    images: int = field(default=1, compare=False)
    split: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", mask_urls(self.name))
        object.__setattr__(self, "reason", mask(self.reason))

    @classmethod
    def because(cls, name: str, error: BadImage | OSError, content: bytes | None = None) -> "LeftOut":
        """Returns the file with the error as its reason.

        A file does not count if its suffix or its content shows that it is not an image.

        Args:
            name: The file's name.
            error: Why it is not used.
            content: The file's content, or its beginning; None if it is unknown or part of another file.

        Raises:
            MemoryError: The file could not be read for lack of memory.
        """
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:  # The image may be fine.
            raise MemoryError from error
        reason = f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        return cls(name, reason, counts=may_be_image(name, content))

    def row(self) -> tuple[str, str]:
        """Returns the row for left_out.csv."""
        return self.name, self.reason


def too_large(size: int, max_bytes: int) -> str:
    """Returns the reason why an image of this size is left out."""
    return f"has {size:,} bytes, over the limit (data.max_image_bytes: {max_bytes})"


def image_by_suffix(name: str) -> bool | None:
    """Returns whether the suffix of a file says that it is an image, or None if it is unknown."""
    plain = _without_query(name)
    if PurePosixPath(plain).suffix.lower() in SUFFIXES:
        return True
    return False if skipped.Skipped.by_suffix(plain) else None


def may_be_image(name: str, content: bytes | None = None) -> bool:
    """Returns whether a file that cannot be read may be an image: neither its suffix nor its content shows otherwise.

    Args:
        name: The file's name.
        content: The beginning of its content; None if it is unknown.
    """
    plain, known = _without_query(name), image_by_suffix(name)
    if known is not None:
        return known
    if not content:
        return content is None or not skipped.is_marker(plain)
    return not (skipped.is_text(name, content) or skipped.is_container(plain, content))


def _without_query(name: str) -> str:
    return name.partition("?")[0] if "://" in name else name
