"""RecordFile: gzipped TFRecords, as TFX's readers expect them, but without compressing images again."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import apache_beam as beam
import tensorflow as tf
from apache_beam.coders import BytesCoder

from efficientmixnet.modules import features, progress
from efficientmixnet.modules.files.whole_file import whole_path

_LARGE = 4096  # bytes; a larger record is mostly an encoded image, which gzip cannot make smaller
_STORED, _FASTEST = 0, 1  # gzip levels


class RecordFile:
    """A file of gzipped TFRecords. The size of the first record decides about the compression of all.

    Args:
        path: The file to write. It appears when it is closed.
    """

    def __init__(self, path: str) -> None:
        self._stack = ExitStack()
        self._path = str(self._stack.enter_context(whole_path(path)))
        self._writer: tf.io.TFRecordWriter | None = None

    def write(self, record: bytes) -> None:
        """Appends a record."""
        if self._writer is None:
            level = _STORED if len(record) > _LARGE else _FASTEST
            options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=level)
            self._writer = tf.io.TFRecordWriter(self._path, options)
        self._writer.write(record)

    def close(self) -> None:
        """Closes the file. A file without records is empty."""
        if self._writer is None:
            self._writer = tf.io.TFRecordWriter(self._path, "GZIP")
        self._writer.close()
        self._stack.close()

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._stack.__exit__(*sys.exc_info())


class WriteRecords(beam.PTransform):
    """Writes serialized examples to files. Their number is a multiple of `shards`. Beam's runner chooses which.

    The files are numbered in the order of their first images' names. Beam numbers them in a random order.

    Args:
        prefix: The prefix of the files' names.
        shards: The number of files for each of Beam's bundles. Its records are dealt to them in turn.
    """

    def __init__(self, prefix: str, shards: int = 1) -> None:
        super().__init__()
        self._prefix = prefix
        self._shards = shards

    def expand(self, records: beam.PCollection) -> beam.PCollection:
        """See PTransform."""
        return records | beam.io.Write(self.sink())

    def sink(self) -> beam.io.filebasedsink.FileBasedSink:
        """Returns what Beam writes to."""
        return _Sink(self._prefix, self._shards)


class _Sink(beam.io.filebasedsink.FileBasedSink):
    """Beam expects one file of each writer. A writer returns the paths of its files, one a line."""

    def __init__(self, prefix: str, shards: int) -> None:
        super().__init__(prefix, BytesCoder(), file_name_suffix=".gz")
        self._shards = shards

    def open_writer(self, init_result: str, uid: str) -> "_Writer":
        return _Writer(init_result, uid, self._shards)

    def pre_finalize(self, init_result: str, writer_results: Iterable[str]) -> None:
        super().pre_finalize(init_result, _paths(writer_results))

    def finalize_write(self, init_result: str, writer_results: Iterable[str], nothing: None) -> Iterator[str]:
        return super().finalize_write(init_result, _paths(writer_results), nothing)


def _paths(writer_results: Iterable[str]) -> list[str]:
    return [path for paths in writer_results for path in paths.splitlines()]


class _Writer(beam.io.iobase.Writer):
    """Writes files that are named after the first image. Beam renames them in the order of their names."""

    def __init__(self, folder: str, uid: str, shards: int) -> None:
        self._folder = folder
        self._uid = uid
        self._shards = shards
        self._paths: list[str] = []
        self._files: list[RecordFile] = []
        self._count = 0

    def write(self, record: bytes) -> None:
        if not self._files:
            self._open(tf.train.Example.FromString(record).features.feature[features.FILENAME])
        self._files[self._count % self._shards].write(record)
        self._count += 1
        progress.advance()

    def _open(self, name: tf.train.Feature) -> None:
        digest = hashlib.sha256(*name.bytes_list.value).hexdigest()
        self._paths = [f"{self._folder}/{digest}-{self._uid}-{shard:05d}" for shard in range(self._shards)]
        self._files = [RecordFile(path) for path in self._paths]

    def close(self) -> str:
        if not self._files:
            self._open(tf.train.Feature())
        for file in self._files:
            file.close()
        return "\n".join(self._paths)
