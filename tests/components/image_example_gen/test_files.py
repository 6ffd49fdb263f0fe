"""Files in an object store are listed and read as those on this machine are; the store here is a dictionary."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

from efficientmixnet.components.image_example_gen.containers import pictures_of
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_pictures
from efficientmixnet.modules.bad_input import BadInput

SPLITS = frozenset({"train", "eval"})
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


@pytest.fixture(autouse=True)
def store() -> Iterator[dict[str, bytes]]:
    """Two pictures, what some stores keep for a folder, and what is hidden."""
    STORE.update(
        {
            "shelf://b/data/cat/1.jpg": b"one",
            "shelf://b/data/dog/in/2.jpg": b"two!",
            "shelf://b/data/dog/": b"",
            "shelf://b/data/dog/.hidden.jpg": b"",
            "shelf://b/database/cow/3.jpg": b"another folder",
        }
    )
    yield STORE
    STORE.clear()


def _contents(sources: Sources) -> dict[str, bytes]:
    return {entry.name: encoded for entry, encoded in pictures_of(sources.entries, sources.format, Layout())}


def test_class_folders_in_a_store() -> None:
    sources = find_pictures("shelf://b/data", None, SPLITS)
    assert _contents(sources) == {"cat/1.jpg": b"one", "dog/in/2.jpg": b"two!"}
    assert sources.labels == {"cat": 1, "dog": 1}
    assert sources.bytes == 7


def test_a_picture_that_went_away_is_missing(store: dict[str, bytes]) -> None:
    sources = find_pictures("shelf://b/data/", None, SPLITS)
    del store["shelf://b/data/cat/1.jpg"]
    assert _contents(sources) == {"dog/in/2.jpg": b"two!"}


def test_a_manifest_in_a_store_names_files_beside_it_and_elsewhere(store: dict[str, bytes]) -> None:
    store["shelf://b/list.csv"] = (
        b"path,label\ncat/1.jpg,cat\nshelf://b/database/cow/3.jpg,cow\nshelf://b/none.jpg,cow\ncat/9.jpg,cat\n"
    )
    sources = find_pictures("shelf://b/data", "shelf://b/list.csv", SPLITS)
    assert _contents(sources) == {"cat/1.jpg": b"one", "shelf://b/database/cow/3.jpg": b"another folder"}
    assert [item.row() for item in sources.left_out] == [
        ("shelf://b/none.jpg", "does not exist (list.csv, line 4)"),
        ("cat/9.jpg", "does not exist (list.csv, line 5)"),
    ]


def test_a_store_that_cannot_be_asked_is_refused() -> None:
    with pytest.raises(BadInput, match=r"data\.pictures: shelf://locked/data cannot be listed \(.*no access"):
        find_pictures("shelf://locked/data", None, SPLITS)


def test_an_empty_place_in_a_store_is_refused() -> None:
    with pytest.raises(BadInput, match=r"shelf://b/empty does not exist, or holds nothing"):
        find_pictures("shelf://b/empty", None, SPLITS)


def test_a_store_that_beam_does_not_know_is_refused() -> None:
    with pytest.raises(BadInput, match=r"attic://b/data cannot be listed \(.*attic"):
        find_pictures("attic://b/data", None, SPLITS)
