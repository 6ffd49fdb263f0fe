"""Originals: one evaluation image of each format, with the bytes of its file, which records do not keep.

ServingCheck sends them to the exported model.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import tensorflow as tf

from efficientmixnet.components.image_example_gen.entry import Entry
from efficientmixnet.components.image_example_gen.files import read_bytes
from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.modules import features

SPLIT = "eval"
_FOLDER = "originals"


def write_originals(uri: str, shard: str, images: Iterable[tuple[Entry, bytes]]) -> None:
    """Writes the originals of a shard.

    Args:
        uri: The folder of the Examples artifact.
        shard: The name of the shard's file.
        images: Entries with their serialized tf.Examples.
    """
    tf.io.gfile.makedirs(f"{uri}/{_FOLDER}")
    with RecordFile(f"{uri}/{_FOLDER}/{shard}") as file:
        for entry, record in images:
            example = tf.train.Example.FromString(record)
            with suppress(OSError):  # the file is gone since it was read
                example.features.feature[features.ORIGINAL].bytes_list.value.append(read_bytes(entry))
                file.write(example.SerializeToString(deterministic=True))


def read_originals(uri: str) -> Iterator[tf.train.Example]:
    """Yields the first original of each format.

    Args:
        uri: The folder of the Examples artifact.
    """
    found = set()
    files = tf.constant(sorted(tf.io.gfile.glob(f"{uri}/{_FOLDER}/*")), tf.string)
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        example = tf.train.Example.FromString(record.numpy())
        kind = example.features.feature[features.FORMAT].bytes_list.value[0]
        if kind not in found:
            found.add(kind)
            yield example
