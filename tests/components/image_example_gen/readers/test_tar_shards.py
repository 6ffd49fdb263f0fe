"""WebDataset's tar shards, whole and broken."""

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def test_label_and_further_features_come_from_json(write: Any, tmp_path: Path) -> None:
    files = {
        "a/0.PNG": b"p",
        "a/0.json": b'{"label": "cat", "camera": {"iso": 100}}',
        "a/1.json": b'{"label": "dog", "camera": "phone"}',
        "a/1.png": b"q",
        "a/.hidden.png": b"",
    }
    write.tar(tmp_path / "0.tar", files)
    found = find_images(str(tmp_path), None, SPLITS, Layout(features=("camera",))).entries
    assert [(entry.label, entry.columns) for entry in found] == [
        ("cat", (("camera", '{"iso": 100}'),)),
        ("dog", (("camera", "phone"),)),
    ]


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        ({"2.cls": b"cat"}, "2", "has no image"),
        ({"2.jpg": b"p"}, "2", "has no label (no .cls, no label in .json)"),
        ({"2.jpg": b"p", "2.cls": b" \n"}, "2", "has no label"),
        ({"2.jpg": b"p", "2.json": b"{"}, "2", "has a .json file that is not JSON (Expecting property name"),
        ({"2.jpg": b"p", "2.json": b"[" * 10**5}, "2", "has a .json file that is not JSON (its lists or objects are"),
        ({"2.jpg": b"p", "2.json": b"9" * 5000}, "2", "has a .json file that is not JSON (a number has too many"),
        (
            {"2.jpg": b"p", "2.json": b'{"label": "\\ud800"}'},
            "2",
            "has a character that is not text in its name, label",
        ),
    ],
)
def test_a_bad_sample_of_a_tar_shard_is_left_out(
    write: Any, tmp_path: Path, files: dict, name: str, reason: str
) -> None:
    good = {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"}
    write.tar(tmp_path / "a.tar", {**good, **files})
    (left_out,) = find_images(str(tmp_path), None, SPLITS).left_out
    assert left_out.name == f"a.tar/{name}"
    assert left_out.reason.startswith(reason)


@pytest.mark.parametrize("lost", [1024, 10240 - 1, 10240 + 1000])
def test_a_truncated_tar_shard_gives_its_whole_samples(write: Any, tmp_path: Path, lost: int) -> None:
    files = {f"{i:03d}.{kind}": b"cd"[i % 2 : i % 2 + 1] * 700 for i in range(20) for kind in ("cls", "jpg")}
    write.tar(tmp_path / "a.tar", files)
    whole = (tmp_path / "a.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "a.tar").write_bytes(whole[: len(whole) - lost])
    sources = find_images(str(tmp_path), None, SPLITS)
    assert 10 < len(sources.entries) < 20
    left_out = sources.left_out[-1]
    assert left_out.name == "a.tar"
    assert left_out.reason.startswith("is truncated after ")


def _with_size(tar: bytes, member: int, size: bytes) -> bytes:
    """Replaces the size in the header of a member with one block of content, and its checksum."""
    header = bytearray(tar[1024 * member : 1024 * member + 512])
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return tar[: 1024 * member] + bytes(header) + tar[1024 * member + 512 :]


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (b"\xff" * 8 + (-512).to_bytes(4, "big", signed=True), "has a member of negative size after 2 records"),
        (b"\xff" * 8 + (-1024).to_bytes(4, "big", signed=True), "has a member of negative size after 2 records"),
        (b"77777777777\0", "is truncated after 4 records"),
        (b"\x80" + b"\x7f" * 11, "cannot be read further"),
    ],
)
def test_a_member_of_an_absurd_size_ends_the_shard(write: Any, tmp_path: Path, size: bytes, reason: str) -> None:
    files = {f"{i}.{kind}": b"cd"[i % 2 : i % 2 + 1] for i in range(4) for kind in ("cls", "jpg")}
    path = tmp_path / "a.tar"
    write.tar(path, files)
    path.write_bytes(_with_size(path.read_bytes(), 6, size))
    sources = find_images(str(tmp_path), None, SPLITS)
    assert {"a.tar/0", "a.tar/1"} <= {entry.name for entry in sources.entries} <= {f"a.tar/{i}" for i in range(3)}
    assert sources.left_out[-1].name == "a.tar"
    assert sources.left_out[-1].reason.startswith(reason)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_broken_header_is_not_taken_for_the_end_of_the_shard(write: Any, tmp_path: Path, mode: str) -> None:
    files = {f"{i}.{kind}": b"cd"[i % 2 : i % 2 + 1] for i in range(4) for kind in ("cls", "jpg")}
    path = tmp_path / "a.tar"
    write.tar(path, files)
    whole = bytearray(path.read_bytes())
    whole[1024 * 6] ^= 1  # the first letter of a name
    path.write_bytes(gzip.compress(whole) if mode == "w:gz" else whole)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert len(sources.entries) == 2
    assert [item.row() for item in sources.left_out] == [
        ("a.tar", "has a broken header (bad checksum) after 2 records")
    ]


def test_a_pax_header_of_negative_size_ends_the_shard(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for number, label in enumerate(b"cdcd"):
            for kind, content in (("cls", bytes([label])), ("jpg", b"p")):
                info = tarfile.TarInfo(f"{number}.{kind}")
                info.size = len(content)
                info.pax_headers = {"size": "-3584"} if number == 3 else {}
                tar.addfile(info, io.BytesIO(content))
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [("a.tar", "has a member of negative size after 2 records")]


def _with_pax(path: Path, headers: dict[str, str]) -> None:
    """Writes four samples. The image of the last one has these pax headers."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number, label in enumerate(b"cdcd"):
            for kind, content in (("cls", bytes([label])), ("jpg", b"p")):
                info = tarfile.TarInfo(f"{number}.{kind}")
                info.size = len(content)
                info.pax_headers = headers if (number, kind) == (3, "jpg") else {}
                tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("size", ["-1", "-7", "1000"])
def test_a_size_other_than_that_of_the_content_ends_the_shard(tmp_path: Path, size: str) -> None:
    _with_pax(tmp_path / "a.tar", {"GNU.sparse.realsize": size})
    sources = find_images(str(tmp_path), None, SPLITS, max_image_bytes=2000)
    assert [entry.name for entry in sources.entries] == [f"a.tar/{number}" for number in range(3)]
    assert [item.row() for item in sources.left_out] == [
        ("a.tar", "has a member of another size than its content after 3 records")
    ]


@pytest.mark.parametrize("digits", ["1" * 1_000_000, " ".join(["1" * 4000] * 200)])
def test_a_pax_header_with_a_long_row_of_digits_ends_the_shard(tmp_path: Path, digits: str) -> None:
    """Python before 3.12.6 takes half an hour for a megabyte of them."""
    _with_pax(tmp_path / "a.tar", {"comment": digits})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [
        ("a.tar", "has a broken header (a row of digits) after 3 records")
    ]


def test_pax_headers_of_many_members_are_read(write: Any, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(2000):
            for kind, content in (("cls", b"cd"[number % 2 :][:1]), ("jpg", b"p")):
                info = tarfile.TarInfo(f"{number}.{kind}")
                info.size, info.pax_headers = len(content), {"comment": "größe"}
                tar.addfile(info, io.BytesIO(content))
    assert len(find_images(str(tmp_path), None, SPLITS).entries) == 2000


def test_a_file_with_holes_is_not_read(tmp_path: Path) -> None:
    _with_pax(tmp_path / "a.tar", {"GNU.sparse.map": "1000,1", "GNU.sparse.size": "1001"})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [("a.tar/3", "has no image")]


def _header(name: str, kind: bytes, size: int = 0, sparse_goes_on: bool = False) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[482] = sparse_goes_on
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


LONG_NAME = _header("x", tarfile.GNUTYPE_LONGNAME, 2) + b"x\0".ljust(512, b"\0")
PAX = _header("x", tarfile.XHDTYPE, 8) + b"8 a=bbb\n".ljust(512, b"\0")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (_header("4.jpg", tarfile.GNUTYPE_SPARSE, sparse_goes_on=True), "index out of range"),
        (LONG_NAME * 3000, "maximum recursion depth exceeded"),
        (PAX * 3000, "maximum recursion depth exceeded"),
    ],
    ids=["sparse", "long names", "pax"],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_headers_that_tarfile_cannot_read_end_the_shard(
    write: Any, tmp_path: Path, end: bytes, reason: str, compressed: bool
) -> None:
    files = {f"{number}.{kind}": b"cd"[number % 2 : number % 2 + 1] for number in range(4) for kind in ("cls", "jpg")}
    path = tmp_path / "a.tar"
    write.tar(path, files)
    hostile = path.read_bytes()[: 8 * 1024] + end
    path.write_bytes(gzip.compress(hostile) if compressed else hostile)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [entry.name for entry in sources.entries] == [f"a.tar/{number}" for number in range(3)]
    (left_out,) = sources.left_out
    assert left_out.name == "a.tar"
    assert left_out.reason.startswith("cannot be read further (")
    assert reason in left_out.reason


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_large_member_is_left_out_and_not_unpacked(write: Any, tmp_path: Path, mode: str) -> None:
    files = {"0.cls": b"c", "0.jpg": b"p", "1.cls": b"d", "1.jpg": b"p", "2.cls": b"d", "2.jpg": b"p" * 1001}
    write.tar(tmp_path / "a.tar", {**files, "3.json": bytes(2**27), "3.jpg": b"p"}, mode)
    tracemalloc.start()
    sources = find_images(str(tmp_path), None, SPLITS, max_image_bytes=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**26
    assert [entry.name for entry in sources.entries] == ["a.tar/0", "a.tar/1"]
    assert sorted(item.row() for item in sources.left_out) == [
        ("a.tar/2", "has 1,001 bytes, over the limit (data.max_image_bytes: 1000)"),
        ("a.tar/3", "has a .json file of 134,217,728 bytes"),
    ]


def test_a_sample_of_links_is_left_out(tmp_path: Path, write: Any) -> None:
    write.tar(tmp_path / "a.tar", {"0.cls": b"c", "0.jpg": b"p", "1.cls": b"d", "1.jpg": b"p"})
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        for kind in ("cls", "jpg"):
            info = tarfile.TarInfo(f"2.{kind}")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(info)
    assert [item.row() for item in find_images(str(tmp_path), None, SPLITS).left_out] == [("a.tar/2", "has no image")]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_data_after_a_block_of_zeros_is_named(write: Any, tmp_path: Path, mode: str) -> None:
    parts = []
    for part in range(2):
        files = {f"{part}-{number}.{end}": b"01" for number in range(3) for end in ("png", "cls")}
        write.tar(tmp_path / "part.tar", files)
        parts.append((tmp_path / "part.tar").read_bytes())
    (tmp_path / "part.tar").unlink()
    joined = b"".join(parts)  # as by cat; tar reads the first part only
    (tmp_path / "a.tar").write_bytes(gzip.compress(joined) if mode == "w:gz" else joined)
    write.tar(tmp_path / "b.tar", {f"{number}.{end}": b"23" for number in range(9) for end in ("png", "cls")})
    sources = find_images(str(tmp_path), None, SPLITS, Layout(format="webdataset"))
    assert len(sources.entries) == 3 + 9
    (left_out,) = sources.left_out
    assert left_out.row() == ("a.tar", "has data after its end after 3 records")
    assert left_out.images == 6  # as many as in b.tar, without the three


def test_a_tar_shard_of_several_compressed_parts_is_read(write: Any, tmp_path: Path) -> None:
    write.tar(
        tmp_path / "a.tar", {f"{number}.{end}": b"%d" % (number % 2) for number in range(40) for end in ("png", "cls")}
    )
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").unlink()
    parts = [gzip.compress(whole[start : start + 4096]) for start in range(0, len(whole), 4096)]
    (tmp_path / "a.tar.gz").write_bytes(b"".join(parts))
    sources = find_images(str(tmp_path), None, SPLITS)
    assert (len(sources.entries), sources.left_out) == (40, ())


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_images_with_further_dots_in_their_names_are_counted(write: Any, tmp_path: Path, mode: str) -> None:
    good = {f"{number}.{end}": b"%d" % (number % 2) for number in range(4) for end in ("jpg", "cls")}
    dots = {f"www.site.com_{number}.{end}": b"1" for number in range(300) for end in ("jpg", "cls")}
    write.tar(tmp_path / "a.tar", {**good, **dots, "x.left.png": b"1", "x.cls": b"1"}, mode)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert len(sources.entries) == 4
    end = "; the name up to the first dot is the sample's"
    assert [(*item.row(), item.images) for item in sources.left_out] == [
        ("a.tar/www", f"has 300 images with further dots in their names{end}", 300),
        ("a.tar/x", f"has an image with further dots in its name{end}", 1),
    ]


def test_the_file_of_the_layout_may_have_further_dots(write: Any, tmp_path: Path) -> None:
    files = {f"{number}.{end}": b"%d" % number for number in range(2) for end in ("left.png", "right.png", "cls")}
    write.tar(tmp_path / "a.tar", {**files, "2.right.png": b"p", "2.cls": b"1"})
    sources = find_images(str(tmp_path), None, SPLITS, Layout(image="left.png"))
    assert [entry.name for entry in sources.entries] == ["a.tar/0", "a.tar/1"]
    assert [item.row() for item in sources.left_out] == [("a.tar/2", "has no image (no .left.png)")]


def test_a_sample_with_two_images_is_refused_unless_the_layout_chooses_one(write: Any, tmp_path: Path) -> None:
    files = {f"{number}.{kind}": b"1" for number in range(4) for kind in ("jpg", "png")}
    labels = {f"{number}.cls": b"%d" % (number % 2) for number in range(4)}
    write.tar(tmp_path / "0.tar", dict(sorted((files | labels).items())))
    with pytest.raises(BadInput, match=r"has 2 images \(\.jpg, \.png\); choose one by its suffix in data.layout.image"):
        find_images(str(tmp_path), None, SPLITS)
    assert len(find_images(str(tmp_path), None, SPLITS, Layout(image="png")).entries) == 4
