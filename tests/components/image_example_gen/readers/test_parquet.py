"""Parquet files with wrong columns, and with large values."""

import datetime
import struct
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.by_format import images_of, unpack
from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
# Nothing decodes these images, so any bytes will do.
IMAGES = [b"\xff\xd8one", b"\xff\xd8\0\0two" * 300, b"one", b"\x89PNG" + bytes(range(256))]
LABELS = ["cat", "dog", "große Katze", "cat"]


def test_for_a_table_without_a_label_the_message_lists_its_columns(write: Any, tmp_path: Path) -> None:
    write.parquet(tmp_path / "a.parquet", {"image": IMAGES, "fine": LABELS})
    with pytest.raises(BadInput, match=r"has no column 'label'; its columns are image, fine. Name the columns"):
        find_images(str(tmp_path), None, SPLITS)


def test_a_column_of_paths_is_refused(write: Any, tmp_path: Path) -> None:
    write.parquet(tmp_path / "a.parquet", {"image": LABELS, "label": LABELS})
    with pytest.raises(BadInput, match=r"data\.layout\.image: the column 'image' of .* holds string, not encoded"):
        find_images(str(tmp_path), None, SPLITS)


def test_a_file_whose_schema_would_run_code_is_refused(tmp_path: Path) -> None:
    class Pickled(pyarrow.ExtensionType):
        def __init__(self) -> None:
            super().__init__(pyarrow.string(), "arrow.py_extension_type")

        def __arrow_ext_serialize__(self) -> bytes:
            return b"not a pickle"

        @classmethod
        def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: bytes) -> Any:
            raise AssertionError("nothing reads the type back")

    column = pyarrow.ExtensionArray.from_storage(Pickled(), pyarrow.array(["x"] * 4))
    table = pyarrow.table({"image": pyarrow.array(IMAGES), "label": LABELS, "extra": column})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"^data\.images: .*a\.parquet: its schema holds a pickled Python type"):
        find_images(str(tmp_path), None, SPLITS)


def test_text_that_is_not_utf8_is_a_damaged_file(tmp_path: Path) -> None:
    offsets = pyarrow.py_buffer(struct.pack("<5i", 0, 1, 2, 4, 5))
    labels = pyarrow.Array.from_buffers(pyarrow.string(), 4, [None, offsets, pyarrow.py_buffer(b"cd\xff\xfec")])
    pyarrow.parquet.write_table(
        pyarrow.table({"image": pyarrow.array(IMAGES), "label": labels}), tmp_path / "a.parquet"
    )
    with pytest.raises(BadInput, match=r"a\.parquet is not a Parquet file, or is damaged \(UnicodeDecodeError"):
        find_images(str(tmp_path), None, SPLITS)


def test_a_column_of_dates_is_kept_as_text(write: Any, tmp_path: Path) -> None:
    days = [datetime.date(2020, 1, day) for day in range(1, 5)]
    write.parquet(tmp_path / "a.parquet", {"image": IMAGES, "label": LABELS, "day": days})
    sources = find_images(str(tmp_path), None, SPLITS, Layout(features=("day",)))
    assert sources.entries[0].columns == (("day", '"2020-01-01"'),)


def test_a_large_value_is_left_out(write: Any, tmp_path: Path) -> None:
    images = [b"p", b"q" * 1001, b"r"]
    write.parquet(tmp_path / "a.parquet", {"image": images, "label": ["cat", "dog", "dog"]})
    sources = find_images(str(tmp_path), None, SPLITS, max_image_bytes=1000)
    found = {entry.name: one for entry, one in images_of(sources.entries, "parquet", Layout(), 1000)}
    reason = "has 1,001 bytes, over the limit (data.max_image_bytes: 1000)"
    assert found == {
        "a.parquet/0": b"p",
        "a.parquet/1": LeftOut("a.parquet/1", reason),
        "a.parquet/2": b"r",
    }
    with (tmp_path / "plain").open("wb") as file:
        unpacked = list(unpack(sources.entries, "parquet", Layout(), file, str(tmp_path / "plain"), 1000))
    assert [entry.unreadable for entry in unpacked] == ["", reason, ""]


def test_a_small_file_that_unpacks_to_much_is_not_unpacked(tmp_path: Path) -> None:
    table = pyarrow.table({"image": [bytes(200_000), bytes(200_000), b"p"], "label": ["cat", "dog", "dog"]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    assert (tmp_path / "a.parquet").stat().st_size < 4000
    with pytest.raises(BadInput, match=r"a\.parquet unpacks a column to 400,\d+ bytes \(data.max_image_bytes: "):
        find_images(str(tmp_path), None, SPLITS, max_image_bytes=100_000)
