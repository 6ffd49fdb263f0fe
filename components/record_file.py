"""RecordFile: gzipped TFRecords, as TFX's readers expect them, but without compressing images again."""

import apache_beam as beam
import tensorflow as tf
from apache_beam.coders import BytesCoder

_LARGE = 4096  # bytes; a larger record is mostly an encoded image, which gzip cannot make smaller
_STORED, _FASTEST = 0, 1  # gzip levels


class RecordFile:
    """A file of gzipped TFRecords. The size of the first record decides about the compression of all.

    Args:
        path: The file to write.
    """

    def __init__(self, path: str) -> None:
        self._path = path
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

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WriteRecords(beam.PTransform):
    """Writes serialized examples to files. Beam's runner chooses their number.

    Args:
        prefix: The prefix of the files' names.
    """

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def expand(self, records: beam.PCollection) -> beam.PCollection:
        """See PTransform."""
        return records | beam.io.Write(_Sink(self._prefix))


class _Sink(beam.io.filebasedsink.FileBasedSink):
    def __init__(self, prefix: str) -> None:
        super().__init__(prefix, BytesCoder(), file_name_suffix=".gz")

    def open(self, temp_path: str) -> RecordFile:
        return RecordFile(temp_path)

    def write_encoded_record(self, file_handle: RecordFile, encoded_value: bytes) -> None:
        file_handle.write(encoded_value)

    def close(self, file_handle: RecordFile | None) -> None:
        if file_handle is not None:
            file_handle.close()
