"""An object store that is a dictionary, which Beam's file systems find under shelf://."""

import io
from collections.abc import Iterator
from typing import Any

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

STORE: dict[str, bytes] = {}


class _Store(FileSystem):  # Beam finds it by its scheme, as it finds that of gs://
    @classmethod
    def scheme(cls) -> str:
        return "shelf"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        folder, _, name = path.rpartition("/")
        return folder, name

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        if dir_or_prefix.startswith("shelf://locked"):
            raise BeamIOError("no access")
        for path, content in STORE.items():
            if path.startswith(dir_or_prefix):
                yield FileMetadata(path, len(content), 12.5)

    def open(self, path: str, *_: Any, **__: Any) -> io.BytesIO:
        if path not in STORE:
            raise BeamIOError(f"{path} is gone")
        return io.BytesIO(STORE[path])

    def mkdirs(self, path: str) -> None: ...
    def create(self, path: str, *_: Any, **__: Any) -> Any: ...
    def copy(self, source: list[str], target: list[str]) -> None: ...
    def rename(self, source: list[str], target: list[str]) -> None: ...
    def exists(self, path: str) -> bool:
        return path in STORE

    def size(self, path: str) -> int:
        return len(STORE[path])

    def last_updated(self, path: str) -> float:
        return 12.5

    def checksum(self, path: str) -> str:
        return ""

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, len(STORE[path]), 12.5)

    def delete(self, paths: list[str]) -> None: ...
