"""Files and folders that are not images are skipped and counted."""

import gzip
import lzma
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.entry import may_be_image
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.skipped import in_words
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("image")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "@eaDir"),
        ("@eaDir/x.jpg", "@eaDir"),
        ("cat/.@__thumb/1.jpg", "hidden"),
        ("#recycle/1.jpg", "#recycle"),
        ("cat/Thumbs.db", "Thumbs.db"),
        ("cat/thumbs.DB", "thumbs.DB"),
        ("desktop.ini", "desktop.ini"),
        ("__MACOSX/cat/._1.jpg", "__MACOSX"),
        ("cat/.ipynb_checkpoints/1-checkpoint.png", "hidden"),
        ("lost+found/1.png", "lost+found"),
        ("~snapshot/hourly.0/cat/1.png", "~snapshot"),
        ("RECYCLER/1.png", "RECYCLER"),
        ("FOUND.000/1.png", "FOUND.000"),
        ("cat/1.jpg:Zone.Identifier", ".identifier"),
        ("cat/1.jpg.pp3", ".pp3"),
        (".git/1.png", "hidden"),
        ("cat/.DS_Store", "hidden"),
        ("cat/Icon\r", "Icon"),
        ("cat/1.XML", ".xml"),
        ("inspection.html", ".html"),
        ("runs/.efficientmixnet", "output of runs"),
        ("evaluation/predictions.parquet", ".parquet"),
        ("images.tar.gz", ".gz"),
        ("cat/train-images-idx3-ubyte.gz", ".gz"),
        ("labels.mat", ".mat"),
        *((f"cat/x{suffix}", suffix) for suffix in (".tar", ".xz", ".zst", ".arrow", ".feather", ".tfrecord")),
        *((f"x{suffix}", suffix) for suffix in (".mpg", ".mpeg", ".wmv", ".3gp", ".aac", ".flac")),
        *((f"cat/x{suffix}", suffix) for suffix in (".pb", ".bin", ".pickle", ".joblib", ".safetensors")),
    ],
)
def test_files_that_are_not_images_are_skipped_and_counted(folder: Path, name: str, kind: str) -> None:
    _write(folder / name)
    sources = find_images(str(folder), None, SPLITS)
    assert dict(sources.labels) == {"cat": 2, "dog": 2}
    assert sources.left_out == ()
    assert sources.skipped == {kind: 1}


def test_thumbnails_in_an_object_store_are_skipped(shelf: dict[str, bytes]) -> None:
    for name in ("cat/1.jpg", "dog/1.jpg", "cat/@eaDir/1.jpg/M.jpg", "cat/@eaDir/1.jpg/S.jpg", "dog/.git/x/1.jpg"):
        shelf[f"shelf://b/data/{name}"] = b"image"
    sources = find_images("shelf://b/data", None, SPLITS)
    assert dict(sources.labels) == {"cat": 1, "dog": 1}
    assert sources.skipped == {"@eaDir": 1, "hidden": 1}


def test_the_output_of_an_earlier_version_is_skipped(folder: Path) -> None:
    _write(folder / "old/metadata.sqlite")
    _write(folder / "old/artifacts/Trainer/1.png")
    assert find_images(str(folder), None, SPLITS).skipped == {"output of runs": 1}


def test_a_file_beside_shards_counts_unless_it_is_no_image(folder: Path, tmp_path: Path, write: object) -> None:
    shards = tmp_path / "shards"
    write.tar(shards / "0.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    (shards / "1.tar.part").write_bytes(b"\0\1")
    _write(shards / "index.json")
    _write(shards / "README")
    sources = find_images(str(shards), None, SPLITS)
    assert [(item.name, item.counts) for item in sources.left_out] == [("1.tar.part", True), ("README", False)]
    assert sources.skipped == {".json": 1}


@pytest.mark.parametrize("name", ["1.tar.bz2", "2.tar.zst", "old.arrow"])
def test_an_archive_beside_shards_counts(tmp_path: Path, write: object, name: str) -> None:
    write.tar(tmp_path / "0.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    (tmp_path / name).write_bytes(b"\x28\xb5\x2f\xfd\0")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [(item.row(), item.counts) for item in sources.left_out] == [((name, "is not a webdataset file"), True)]


def test_many_shards_and_few_images_are_refused(folder: Path, tmp_path: Path, write: object) -> None:
    for number in range(5):
        write.tar(folder / f"{number}.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    with pytest.raises(BadInput, match=r"has 4 images and 5 files that may hold many.*format: folders or webdataset\."):
        find_images(str(folder), None, SPLITS)
    assert find_images(str(folder), None, SPLITS, Layout(format="folders")).skipped == {".tar": 5}


@pytest.mark.parametrize("name", ["Recycled", "recycler"])
def test_a_class_of_waste_is_not_skipped(folder: Path, name: str) -> None:
    _write(folder / name / "1.png")
    sources = find_images(str(folder), None, SPLITS)
    assert (dict(sources.labels), sources.skipped) == ({"cat": 2, "dog": 2, name: 1}, {})


@pytest.mark.parametrize("name", ["cat/scan.nii.gz", "cat/1.jpg.gz", "cat/1.ppm.bz2", "cat/1.npy.gz", "cat/1.webp.xz"])
def test_a_compressed_image_is_not_skipped(folder: Path, name: str) -> None:
    (folder / name).write_bytes(gzip.compress(b"image", mtime=0))
    assert name in {entry.name for entry in find_images(str(folder), None, SPLITS).entries}
    assert may_be_image(name, gzip.compress(b"image", mtime=0))


@pytest.mark.parametrize(
    ("content", "is_image"),
    [
        (gzip.compress(b"x", mtime=0), False),
        (lzma.compress(b"x"), False),
        (b"\x28\xb5\x2f\xfd\0", False),
        (b"PAR1\0\1", False),
        (b"\x89HDF\r\n\x1a\n\0", False),
        (b"PK\x03\x04\x14\0", False),
        (b"PK\x05\x06" + bytes(18), False),
        (b"7z\xbc\xaf\x27\x1c\0\4", False),
        (b"Rar!\x1a\x07\1\0", False),
        (b"%PDF-1.7\n%\xe2\xe3\n", False),
        (b"SQLite format 3\0\x10", False),
        (b"PK\x03\x04".ljust(26, b"\0") + b"\5\0\0\0a.npy", True),
        (b"1.jpg".ljust(257, b"\0") + b"ustar\0", False),
        (b"1.jpg".ljust(256, b"\0") + b"ustar\0", True),
        (b"\x89PNG\r\n\x1a\n\0", True),
    ],
)
def test_the_first_bytes_tell_archives_and_tables(content: bytes, is_image: bool) -> None:
    assert may_be_image("cat/backup", content) == is_image
    assert may_be_image("cat/backup.jpg", content)
    assert may_be_image("cat/backup.npz", content)
    assert may_be_image("cat/slides.odp", content) == is_image


@pytest.mark.parametrize(("name", "is_image"), [("0001", True), ("a.b", True), ("_SUCCESS", False), ("done", False)])
def test_an_empty_file_may_be_an_image_unless_its_name_marks_something(name: str, is_image: bool) -> None:
    assert may_be_image(f"cat/{name}", b"") == is_image


def test_counts_are_shown_largest_first() -> None:
    assert in_words({"@eaDir": 1, ".txt": 1200, "hidden": 1}) == "1,200 .txt, 1 @eaDir, 1 hidden"
