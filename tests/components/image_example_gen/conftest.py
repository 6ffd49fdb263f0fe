"""Fixtures for the tests of data sources: images in folders, writers of files with many images, and corrections."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import tensorflow as tf
from corrected_data import class_folders, find

from efficientmixnet.components.image_example_gen.sources import Sources


class Writers:
    """Writes files with many images. Nothing decodes them, so any bytes will do."""

    @staticmethod
    def example(image: bytes, label: str | int, name: str = "image/class/text") -> bytes:
        """Returns a serialized tf.Example."""
        example = tf.train.Example()
        example.features.feature["image/encoded"].bytes_list.value.append(image)
        if isinstance(label, int):
            example.features.feature[name].int64_list.value.append(label)
        else:
            example.features.feature[name].bytes_list.value.append(label.encode())
        example.features.feature["image/source"].bytes_list.value.append(b"web")
        return example.SerializeToString()

    @staticmethod
    def tfrecord(path: Path, examples: list[bytes], compression: str = "") -> None:
        """Writes a TFRecord file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(path), compression) as writer:
            for example in examples:
                writer.write(example)

    @staticmethod
    def tar(path: Path, files: dict[str, bytes], mode: str = "w") -> None:
        """Writes a tar shard."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, mode) as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))

    @staticmethod
    def parquet(path: Path, columns: dict[str, list], metadata: dict[str, str] | None = None) -> None:
        """Writes a Parquet file with two rows in each group."""
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pyarrow.table(columns)
        pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path, row_group_size=2)


@pytest.fixture(scope="session")
def write() -> type[Writers]:
    """Returns the writers."""
    return Writers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes with two files each, which are not images, since nothing opens them."""
    data = tmp_path / "images"
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("image")
    return data


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "data", None)[0]


@pytest.fixture
def correct(folders: Path, tmp_path: Path) -> Callable[[str], Sources]:
    """Lists class folders with corrections of this text."""

    def corrected(text: str, name: str = "relabel.csv") -> Sources:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return find(folders, None, tmp_path / name)

    return corrected
