"""Files in an object store, which is a dictionary here, are listed and read like local files."""

from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.by_format import images_of
from efficientmixnet.components.image_example_gen.sources import LeftOut, Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


@pytest.fixture(autouse=True)
def store(shelf: dict[str, bytes]) -> dict[str, bytes]:
    """Two images, an object for a folder, and a hidden file."""
    shelf.update(
        {
            "shelf://b/data/cat/1.jpg": b"one",
            "shelf://b/data/dog/in/2.jpg": b"two!",
            "shelf://b/data/dog/": b"",
            "shelf://b/data/dog/.hidden.jpg": b"",
            "shelf://b/database/cow/3.jpg": b"another folder",
        }
    )
    return shelf


def _contents(sources: Sources) -> dict[str, bytes | LeftOut]:
    return {entry.name: encoded for entry, encoded in images_of(sources.entries, sources.format, Layout())}


def test_class_folders_in_a_store() -> None:
    sources = find_images("shelf://b/data", None, SPLITS)
    assert _contents(sources) == {"cat/1.jpg": b"one", "dog/in/2.jpg": b"two!"}
    assert sources.labels == {"cat": 1, "dog": 1}
    assert sources.bytes == 7


def test_an_image_that_was_removed_is_left_out(store: dict[str, bytes]) -> None:
    sources = find_images("shelf://b/data/", None, SPLITS)
    del store["shelf://b/data/cat/1.jpg"]
    assert _contents(sources) == {
        "cat/1.jpg": LeftOut("cat/1.jpg", "cannot be read: shelf://b/data/cat/1.jpg is gone"),
        "dog/in/2.jpg": b"two!",
    }


def test_corrections_in_a_store(store: dict[str, bytes]) -> None:
    store["shelf://b/relabel.csv"] = b"path,label\ncat/1.jpg,dog\ndog/in/2.jpg,cat\n"
    sources = find_images("shelf://b/data", None, SPLITS, corrections="shelf://b/relabel.csv")
    assert [(entry.name, entry.label) for entry in sources.entries] == [("cat/1.jpg", "dog"), ("dog/in/2.jpg", "cat")]
    with pytest.raises(BadInput, match=r"data\.corrections: shelf://b/none\.csv cannot be read"):
        find_images("shelf://b/data", None, SPLITS, corrections="shelf://b/none.csv")


def test_a_manifest_in_a_store_names_files_next_to_it_and_elsewhere(store: dict[str, bytes]) -> None:
    store["shelf://b/list.csv"] = (
        b"path,label\ncat/1.jpg,cat\nshelf://b/database/cow/3.jpg,cow\nshelf://b/none.jpg,cow\ncat/9.jpg,cat\n"
    )
    sources = find_images("shelf://b/data", "shelf://b/list.csv", SPLITS)
    assert _contents(sources) == {"cat/1.jpg": b"one", "shelf://b/database/cow/3.jpg": b"another folder"}
    assert [item.row() for item in sources.left_out] == [
        ("shelf://b/none.jpg", "does not exist (list.csv, line 4)"),
        ("cat/9.jpg", "does not exist (list.csv, line 5)"),
    ]


def test_a_store_without_access_is_refused() -> None:
    with pytest.raises(BadInput, match=r"data\.images: shelf://locked/data cannot be listed \(.*no access"):
        find_images("shelf://locked/data", None, SPLITS)


def test_an_empty_folder_in_a_store_is_refused() -> None:
    with pytest.raises(BadInput, match=r"shelf://b/empty does not exist or is empty"):
        find_images("shelf://b/empty", None, SPLITS)


@pytest.mark.parametrize(
    "url", ["attic://b/data", "file:///etc", "zip://a.zip", "http://host/x", "simplecache::s3://b"]
)
def test_another_kind_of_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match=rf"{url} cannot be listed \(it is not on this machine, in gs:// or in s3://\)"):
        find_images(url, None, SPLITS)


def test_passwords_and_signatures_in_a_manifest_are_used_but_not_shown(store: dict[str, bytes]) -> None:
    secret = "shelf://me:HUSH@b/{}.jpg?X-Amz-Signature=HUSH"  # noqa: S105
    shown = "shelf://***@b/{}.jpg?X-Amz-Signature=***"
    store[secret.format(1)], store[secret.format(2)] = b"one", b"two"
    rows = [f"{secret.format(n)},{label},https://me:HUSH@web/{n}" for n, label in ((1, "cat"), (2, "dog"), (3, "cow"))]
    store["shelf://b/list.csv"] = "\n".join(["path,label,source", *rows]).encode()
    sources = find_images("shelf://b/data", "shelf://b/list.csv", SPLITS)
    assert _contents(sources) == {shown.format(1): b"one", shown.format(2): b"two"}
    assert sources.entries[0].columns == (("source", "https://***@web/1"),)
    assert [item.name for item in sources.left_out] == [shown.format(3)]
    del store[secret.format(1)]
    left_out = _contents(sources)[shown.format(1)]
    assert left_out == LeftOut(shown.format(1), f"cannot be read: {shown.format(1)} is gone")


def _shard(write: Any, folder: Path, labels: bytes, mode: str = "w") -> bytes:
    write.tar(folder / "0.tar", {f"{n}.{end}": labels[n : n + 1] for n in range(2) for end in ("png", "cls")}, mode)
    return (folder / "0.tar").read_bytes()


def _shards(sources: Sources) -> dict[str, bytes | LeftOut]:
    return {entry.name: encoded for entry, encoded in images_of(sources.entries, "webdataset", Layout())}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_shard_in_a_store_that_changed_after_it_was_listed_is_left_out(
    store: dict[str, bytes], write: Any, tmp_path: Path, mode: str
) -> None:
    store["shelf://c/0.tar"] = _shard(write, tmp_path, b"ab", mode)
    sources = find_images("shelf://c", None, SPLITS)
    store["shelf://c/0.tar"] = _shard(write, tmp_path, b"ba", mode) + bytes(512)
    reasons = {str(getattr(one, "reason", one)) for one in _shards(sources).values()}
    assert reasons == {"cannot be read: it has changed since the images were listed"}
    assert list(_shards(find_images("shelf://c", None, SPLITS)).values()) == [b"b", b"a"]


def test_a_shard_in_a_store_with_other_images_of_the_same_size_and_second_is_left_out(
    store: dict[str, bytes], write: Any, tmp_path: Path
) -> None:
    store["shelf://d/0.tar"] = _shard(write, tmp_path, b"ab")
    sources = find_images("shelf://d", None, SPLITS)
    store["shelf://d/0.tar"] = _shard(write, tmp_path, b"ba")
    reasons = {str(getattr(one, "reason", one)) for one in _shards(sources).values()}
    assert reasons == {"cannot be read: it has changed since the images were listed"}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("address", ["shelf://tagged", "shelf://untagged"])
def test_a_shard_in_a_store_is_read_though_its_listing_has_a_more_exact_time(
    store: dict[str, bytes], write: Any, tmp_path: Path, mode: str, address: str
) -> None:
    store[f"{address}/0.tar"] = _shard(write, tmp_path, b"ab", mode)
    assert _shards(find_images(address, None, SPLITS)) == {"0.tar/0": b"a", "0.tar/1": b"b"}
