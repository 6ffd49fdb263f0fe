"""Beam lists local files in the order of their names.

Without this, the order depends on the file system, and so does the order of the records that the training reads.
"""

from collections.abc import Iterator

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem

_list_in_any_order = LocalFileSystem._list


def _list(self: LocalFileSystem, folder: str) -> Iterator[FileMetadata]:
    yield from sorted(_list_in_any_order(self, folder), key=lambda file: file.path)


LocalFileSystem._list = _list
