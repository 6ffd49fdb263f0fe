"""RecordFile: gzipped TFRecords, as TFX's readers expect them, but without compressing images again."""

import hashlib
import sys
from contextlib import ExitStack

import apache_beam as beam
import tensorflow as tf
from apache_beam.coders import BytesCoder

from efficientmixnet.modules import features, progress
from efficientmixnet.modules.whole_file import whole_path

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
    """Writes serialized examples to files. Beam's runner chooses their number.

    The files are numbered in the order of their first images' names. Beam numbers them in a random order.

    Args:
        prefix: The prefix of the files' names.
    """

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def expand(self, records: beam.PCollection) -> beam.PCollection:
        """See PTransform."""
        return records | beam.io.Write(self.sink())

    def sink(self) -> beam.io.filebasedsink.FileBasedSink:
        """Returns what Beam writes to."""
        return _Sink(self._prefix)


class _Sink(beam.io.filebasedsink.FileBasedSink):
    def __init__(self, prefix: str) -> None:
        super().__init__(prefix, BytesCoder(), file_name_suffix=".gz")

    def open_writer(self, init_result: str, uid: str) -> "_Writer":
        return _Writer(init_result, uid)


class _Writer(beam.io.iobase.Writer):
    """Writes a file that is named after its first image. Beam renames the files in the order of their names."""

    def __init__(self, folder: str, uid: str) -> None:
        self._folder = folder
        self._uid = uid
        self._path = ""
        self._file: RecordFile | None = None

    def write(self, record: bytes) -> None:
        if self._file is None:
            self._file = self._open(tf.train.Example.FromString(record).features.feature[features.FILENAME])
        self._file.write(record)
        progress.advance()

    def _open(self, name: tf.train.Feature) -> RecordFile:
        digest = hashlib.sha256(*name.bytes_list.value).hexdigest()
        self._path = f"{self._folder}/{digest}-{self._uid}"
        return RecordFile(self._path)

    def close(self) -> str:
        if self._file is None:
            self._file = self._open(tf.train.Feature())
        self._file.close()
        return self._path
