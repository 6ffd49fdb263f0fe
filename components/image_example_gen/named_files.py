"""Finds files by the names that tables and people write: in any form of Unicode, and with ./ or ../ in them."""

import os
import posixpath
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from pathlib import PurePath

from efficientmixnet.components.image_example_gen.files import File, find_file, is_remote, join


def forms(name: str) -> tuple[str, ...]:
    """Returns the name, and then its other forms. File systems and programs write accents in NFC or in NFD.

    Example:
        >>> [len(form) for form in forms("é")]
        [1, 2]
    """
    return tuple(dict.fromkeys((name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))))


def find_named(folder: str, name: str) -> tuple[str, File | None]:
    """Returns the name in the form that the file has, and the file; the name as it is and None if there is none.

    Args:
        folder: The folder that the name is relative to.
        name: The name or URL of a file.

    Raises:
        BadInput: The file is in a store that cannot be used.
        OSError: The store refuses the access.
    """
    if is_remote(join(folder, name)):
        found = ((form, find_file(join(folder, form), form)) for form in forms(name))
        return next((one for one in found if one[1]), (name, None))
    file = find_file(join(folder, name), name)
    if file or name.isascii():
        return name, file
    stored = PurePath()  # Each folder may have another form.
    for part in PurePath(name).parts:
        form = next((one for one in forms(part) if os.path.lexists(join(folder, str(stored / one)))), None)
        if form is None:
            return name, None
        stored /= form
    file = find_file(join(folder, str(stored)), str(stored))
    return (str(stored), file) if file else (name, None)


class ListedFiles:
    """The files of a data folder that are already listed.

    Args:
        files: The files.
    """

    def __init__(self, files: Iterable[File]) -> None:
        self._files = {file.path: file for file in files}

    def find(self, path: str) -> File | None:
        """Returns the file at this path; None if it is not one of these. Links are not followed for ../ in a path."""
        return self._files.get(path) or self._by_form.get(_form(path))

    @cached_property
    def _by_form(self) -> dict[str, File]:
        return {_form(path): file for path, file in self._files.items()}


def _form(path: str) -> str:
    scheme, separator, below = path.rpartition("://")
    return unicodedata.normalize("NFC", scheme + separator + posixpath.normpath(below))
