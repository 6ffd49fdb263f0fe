"""The ImageExampleGen component: reads, checks and writes every image once.

Beam only passes names on. A worker reads the images of a shard while it writes the shard, so that memory use does not
grow with the data. A shard holds its images in the order of the hashes of their names, so that they are shuffled in
the same way in every run.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen import outcome
from efficientmixnet.components.image_example_gen.channels import find_channels
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.findings import by_reason, warnings
from efficientmixnet.components.image_example_gen.image import read
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.map_in_threads import map_in_threads
from efficientmixnet.components.image_example_gen.near_duplicates import gray_pixels
from efficientmixnet.components.image_example_gen.originals import SPLIT, write_originals
from efficientmixnet.components.image_example_gen.readers.by_format import unpack
from efficientmixnet.components.image_example_gen.skipped import in_words
from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut, Sources, name_hash
from efficientmixnet.components.image_example_gen.splits import Splits
from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.modules import features, progress
from efficientmixnet.modules.data.record_counts import RecordCounts, write_counts

SHARD_BYTES = 64 * 2**20
LEAST_SHARDS = 4  # of a split, so that a small split is read in parallel too

_DONE, _SEEN = "done", "seen"  # Beam's tags for a shard's outcome, and for each of its images


@tfx.dsl.components.component(use_beam=True)
def ImageExampleGen(
    examples: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Examples],
    images: tfx.dsl.components.Parameter[str],
    manifest: tfx.dsl.components.Parameter[str],
    splits: tfx.dsl.components.Parameter[str],
    max_left_out: tfx.dsl.components.Parameter[float],
    max_pixels: tfx.dsl.components.Parameter[int],
    fingerprint: tfx.dsl.components.Parameter[str],
    layout: tfx.dsl.components.Parameter[str] = "{}",
    split_names: tfx.dsl.components.Parameter[str] = "{}",
    group: tfx.dsl.components.Parameter[str] = "",
    near_duplicates: tfx.dsl.components.Parameter[int] = 1,
    max_image_bytes: tfx.dsl.components.Parameter[int] = MAX_IMAGE_BYTES,
    channels: tfx.dsl.components.Parameter[int] = 3,
    corrections: tfx.dsl.components.Parameter[str] = "",
    beam_pipeline: tfx.dsl.components.BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes a tf.Example for each image (see features.py) to gzipped TFRecords, and lists the images left out.

    Args:
        examples: The records, with a folder for each split.
        images: The folder of the images. Paths in the manifest are relative to it.
        manifest: A CSV or JSON-lines file with the path, label and optionally split of each image; empty for none.
        splits: The fraction of images in each split, as JSON.
        max_left_out: The run stops if a larger fraction of the images cannot be read.
        max_pixels: Images with more pixels are left out.
        fingerprint: The fingerprint of the data. When it changes, TFX does not reuse cached results.
        layout: The layout of the data, Layout as JSON.
        split_names: The splits that further names in the data mean, as JSON.
        group: The column of a group, whose images are all in one split; empty for none.
        near_duplicates: 1 to look for images in several splits that look the same, 0 otherwise.
        max_image_bytes: Larger images are left out.
        channels: The number of channels. Images with another number are left out. 0: that of the first images.
        corrections: A CSV or JSON-lines file with the right labels of some images; empty for none.

    Raises:
        BadInput: There are no images, they are not those of the fingerprint, a split is empty, or too many images
            cannot be read.
    """
    form = Layout.model_validate_json(layout)
    rule = Splits(json.loads(splits), json.loads(split_names), group or None)
    sources = find_dataset(images, manifest or None, rule, form, max_image_bytes, corrections or None)
    sources.stop_if_changed(fingerprint, manifest or images)
    if sources.skipped:
        progress.tell(f"skipped files and folders that are not images: {in_words(sources.skipped)}")
    channels = channels or find_channels(sources, form, max_image_bytes)
    fractions = sources.splits
    shards = _shards(sources, fractions)
    for split in fractions:
        tf.io.gfile.makedirs(f"{examples.uri}/Split-{split}")
    outcome_file = f"{examples.uri}/outcome.jsonl"

    progress.start(len(sources.entries), "images")
    with beam_pipeline as pipeline:
        written = (
            _addressed(pipeline, sources, form, f"{examples.uri}/unpacked", max_image_bytes)
            | "ByShard" >> beam.Map(lambda entry: (_shard_of(entry, shards), entry))
            | "Together" >> beam.GroupByKey()
            | "ReadAndWrite"
            >> beam.FlatMap(
                _write_shard,
                examples.uri,
                shards,
                partial(
                    read, max_pixels=max_pixels, columns=sources.columns, channels=channels, max_bytes=max_image_bytes
                ),
                bool(near_duplicates),
            ).with_outputs(_SEEN, main=_DONE)
        )
        duplicates = (
            written[_SEEN] | "BySameBytes" >> beam.GroupByKey() | "Duplicates" >> beam.FlatMapTuple(outcome.duplicates)
        )
        _ = (
            (written[_DONE], duplicates)
            | "Outcomes" >> beam.Flatten()
            | "Outcome" >> beam.io.WriteToText(outcome_file, shard_name_template="")
        )

    if tf.io.gfile.exists(f"{examples.uri}/unpacked"):
        tf.io.gfile.rmtree(f"{examples.uri}/unpacked")
    examples.split_names = json.dumps(list(fractions))
    if sources.span:
        examples.span, examples.version = sources.span.number, sources.span.version
    found = outcome.Outcome.read(outcome_file, sources.left_out, sources.entries)
    found.write_tables(examples.uri)
    write_counts(
        examples.uri,
        {
            split: RecordCounts.of_files(f"{examples.uri}/Split-{split}", found.counts.get(split, Counter()).total())
            for split in fractions
        },
    )
    examples.set_string_custom_property("source", manifest or images)
    examples.set_int_custom_property(features.CHANNELS, channels)
    examples.set_int_custom_property("images_read", found.read_count)
    examples.set_int_custom_property("images_left_out", len(found.left_out))
    if sources.corrections:
        examples.set_string_custom_property("corrections", sources.corrections)
    for name, value in {
        "columns": sources.columns,
        "notes": sources.notes,
        "left_out_by_reason": by_reason(found.left_out),
        "warnings": warnings(found.counts, found.duplicates, found.left_out, found.near_duplicates, sources.labels),
    }.items():
        examples.set_string_custom_property(name, json.dumps(value, ensure_ascii=False))
    found.stop_if_too_many_are_left_out(images, max_left_out)
    found.stop_if_a_split_is_empty(manifest or images, tuple(fractions))
    found.stop_if_one_class_is_left(manifest or images)


def _addressed(
    pipeline: beam.Pipeline, sources: Sources, layout: Layout, folder: str, max_bytes: int
) -> beam.PCollection:
    """Returns entries that can be read on their own. Images that must be read in order are first copied to `folder`."""
    direct = [entry for entry in sources.entries if entry.row is None]
    in_order = sorted((entry for entry in sources.entries if entry.row is not None), key=lambda entry: entry.path)
    entries = pipeline | "Entries" >> beam.Create(direct)
    if not in_order:
        return entries
    tf.io.gfile.makedirs(folder)
    files = [tuple(group) for _, group in groupby(in_order, key=lambda entry: entry.path)]
    unpacked = (
        pipeline
        | "Files" >> beam.Create(enumerate(files))
        | "Spread" >> beam.Reshuffle()
        | "Unpack" >> beam.FlatMap(_unpack, folder, sources.format, layout, max_bytes)
    )
    return (entries, unpacked) | "AllEntries" >> beam.Flatten()


def _unpack(
    numbered: tuple[int, tuple[Entry, ...]], folder: str, kind: str, layout: Layout, max_bytes: int
) -> Iterator[Entry]:
    number, entries = numbered
    path = f"{folder}/{number:05d}"
    with tf.io.gfile.GFile(path, "wb") as file:
        yield from unpack(entries, kind, layout, file, path, max_bytes)


def _shards(sources: Sources, fractions: Mapping[str, float]) -> dict[str, int]:
    """Returns the number of files of each split."""
    whole = sum(fractions.values())
    return {
        split: max(LEAST_SHARDS, math.ceil(sources.bytes * fraction / whole / SHARD_BYTES))
        for split, fraction in fractions.items()
    }


def _shard_of(entry: Entry, shards: Mapping[str, int]) -> tuple[str, int]:
    split = str(entry.split)
    return split, name_hash(entry.name) % shards[split]


def _write_shard(
    shard_and_entries: tuple[tuple[str, int], Iterable[Entry]],
    uri: str,
    shards: Mapping[str, int],
    reading: Callable[..., tf.train.Example | LeftOut],
    with_gray: bool,
) -> Iterator[Any]:
    """Reads the shard's images and writes its file. Yields the digest of each image, and the shard's outcome."""
    (split, shard), entries = shard_and_entries
    name = f"images-{shard:05d}-of-{shards[split]:05d}.gz"
    originals: dict[bytes, tuple[Entry, bytes]] = {}  # by format
    left_out: list[LeftOut] = []
    labels: Counter[str] = Counter()
    grays: dict[str, bytes] = {}
    in_order = sorted(entries, key=lambda entry: name_hash(entry.name))
    results = map_in_threads(partial(_record, reading=reading, with_gray=with_gray), in_order)
    with RecordFile(f"{uri}/Split-{split}/{name}") as writer:
        for entry, result in zip(in_order, results, strict=True):
            if isinstance(result, LeftOut):
                left_out.append(result)
            else:
                record, digest, kind, gray = result
                if gray:
                    grays[entry.name] = gray
                writer.write(record)
                originals.setdefault(kind, (entry, record))
                labels[entry.label] += 1
                # Beam passes bytes and strings on as they are, but would pickle a Copy.
                yield beam.pvalue.TaggedOutput(_SEEN, (digest, (entry.name, entry.label, split)))
            progress.advance()
    if split == SPLIT:
        write_originals(uri, name, originals.values())
    yield outcome.shard(split, labels, left_out, grays)


def _record(
    entry: Entry, reading: Callable[..., tf.train.Example | LeftOut], with_gray: bool
) -> tuple[bytes, bytes, bytes, bytes] | LeftOut:
    """Returns the serialized tf.Example, the digest of its image, its format, and its gray pixels."""
    gray: list[bytes] = []

    def see(pixels: np.ndarray) -> None:
        gray.append(gray_pixels(pixels))

    example = reading(entry, see=see if with_gray else None)
    if isinstance(example, LeftOut):
        return example
    (encoded,), (kind,) = (
        example.features.feature[one].bytes_list.value for one in (features.ENCODED, features.FORMAT)
    )
    digest = hashlib.blake2b(encoded, digest_size=16).digest()
    return example.SerializeToString(deterministic=True), digest, kind, b"".join(gray)
