"""WebDataset's tar shards, whole and broken."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images

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


def test_a_negative_size_ends_the_reading_of_a_tar_shard(write: Any, tmp_path: Path) -> None:
    write.tar(tmp_path / "a.tar", {f"{i}.{kind}": b"cd"[i % 2 :] for i in range(4) for kind in ("cls", "jpg")})
    content = bytearray((tmp_path / "a.tar").read_bytes())
    head = content[: tarfile.BLOCKSIZE]
    head[124:136] = b"\xff" * 8 + (-512).to_bytes(4, "big", signed=True)  # the size, in GNU's binary form
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)  # the checksum
    end = 8 * 2 * tarfile.BLOCKSIZE  # of the last file
    (tmp_path / "a.tar").write_bytes(content[:end] + head + content[end:])
    sources = find_images(str(tmp_path), None, SPLITS)
    assert len(sources.entries) == 3
    assert [item.row() for item in sources.left_out] == [("a.tar", "has a file with a negative size after 3 records")]


def test_a_huge_text_in_a_small_archive_is_not_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", compresslevel=1) as tar:
        for name, content in (("0.jpg", b"p"), ("0.cls", b"c"), ("1.jpg", b"p"), ("1.cls", b"d"), ("2.jpg", b"p")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        member = tarfile.TarInfo("2.json")
        member.size = 10**7 + 1
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    sources = find_images(str(tmp_path), None, SPLITS)
    assert len(sources.entries) == 2
    assert sources.left_out[-1].reason == "has a text of 10,000,001 bytes (2.json) after 2 records"
