"""The component ImageExampleGen: reads, checks and writes every picture once.

Only names travel through Beam: the pictures of a shard are read where its file is written, so that memory does not
grow with the data, and a shard holds them in the order of their names' hashes: shuffled, and the same at every run.
"""

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.containers import unpack
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.picture import read
from efficientmixnet.components.image_example_gen.sources import (
    Entry,
    LeftOut,
    Sources,
    find_pictures,
    name_hash,
    split_of,
)
from efficientmixnet.modules import progress
from efficientmixnet.modules.bad_input import BadInput

LEFT_OUT_FILE = "left_out.csv"  # in the artifact's folder: one row a file, name and reason
SHARD_BYTES = 64 * 2**20
LEAST_SHARDS = 4  # a split, so that a small one is read in parallel too

# Encoded pictures hardly shrink; the fastest level keeps the format that TFX's readers expect.
_GZIP = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


@tfx.dsl.components.component(use_beam=True)
def ImageExampleGen(
    examples: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Examples],
    pictures: tfx.dsl.components.Parameter[str],
    manifest: tfx.dsl.components.Parameter[str],
    splits: tfx.dsl.components.Parameter[str],
    max_left_out: tfx.dsl.components.Parameter[float],
    max_pixels: tfx.dsl.components.Parameter[int],
    fingerprint: tfx.dsl.components.Parameter[str],
    layout: tfx.dsl.components.Parameter[str] = "{}",
    beam_pipeline: tfx.dsl.components.BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes one tf.Example a picture (features.py), in gzipped TFRecords, and a CSV file of what was left out.

    Args:
        examples: The records, a folder a split.
        pictures: The folder with the pictures, or what the manifest's paths start from.
        manifest: A CSV or JSON-lines file with path, label and optionally split of each picture; empty for none.
        splits: JSON, each split's name and share.
        max_left_out: The run stops where more than this share of the pictures cannot be read.
        max_pixels: A picture with more is not decoded.
        fingerprint: Of the data: when it changes, TFX's cache no longer fits.
        layout: In what form the pictures come: Layout as JSON.

    Raises:
        BadInput: There is nothing to train on, or too much of it cannot be read.
    """
    shares: dict[str, float] = json.loads(splits)
    form = Layout.model_validate_json(layout)
    sources = find_pictures(pictures, manifest or None, frozenset(shares), form)
    shards = _shards(sources, shares)
    for split in shares:
        tf.io.gfile.makedirs(f"{examples.uri}/Split-{split}")
    outcome = f"{examples.uri}/outcome.jsonl"

    progress.start(len(sources.entries), "pictures")
    with beam_pipeline as pipeline:
        _ = (
            _addressed(pipeline, sources, form, f"{examples.uri}/unpacked")
            | "ByShard" >> beam.Map(lambda entry: (_shard_of(entry, shares, shards), entry))
            | "Together" >> beam.GroupByKey()
            | "ReadAndWrite" >> beam.Map(_write_shard, examples.uri, shards, max_pixels, sources.columns)
            | "Outcome" >> beam.io.WriteToText(outcome, shard_name_template="")
        )

    if tf.io.gfile.exists(f"{examples.uri}/unpacked"):
        tf.io.gfile.rmtree(f"{examples.uri}/unpacked")
    examples.split_names = json.dumps(list(shares))
    with tf.io.gfile.GFile(outcome) as file:
        outcomes = [json.loads(line) for line in file]
    read_count = sum(one["read"] for one in outcomes)
    left_out = [*sources.left_out, *(LeftOut(*row) for one in outcomes for row in one["left_out"])]
    left_out.sort(key=lambda item: item.name)
    _write_left_out(f"{examples.uri}/{LEFT_OUT_FILE}", left_out)
    examples.set_int_custom_property("pictures_read", read_count)
    examples.set_int_custom_property("pictures_left_out", len(left_out))
    examples.set_string_custom_property("columns", json.dumps(sources.columns))
    _stop_if_too_many(pictures, read_count, left_out, max_left_out)
    _stop_if_a_split_is_empty(manifest or pictures, outcomes, shares, left_out)


def _addressed(pipeline: beam.Pipeline, sources: Sources, layout: Layout, folder: str) -> beam.PCollection:
    """Entries whose bytes can be read by their place; what can only be read in order is first copied to `folder`."""
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
        | "Unpack" >> beam.FlatMap(_unpack, folder, sources.format, layout)
    )
    return (entries, unpacked) | "AllEntries" >> beam.Flatten()


def _unpack(numbered: tuple[int, tuple[Entry, ...]], folder: str, kind: str, layout: Layout) -> Iterator[Entry]:
    number, entries = numbered
    path = f"{folder}/{number:05d}"
    with tf.io.gfile.GFile(path, "wb") as file:
        yield from unpack(entries, kind, layout, file, path)


def _shards(sources: Sources, shares: Mapping[str, float]) -> dict[str, int]:
    """How many files each split is written to."""
    whole = sum(shares.values())
    return {
        split: max(LEAST_SHARDS, math.ceil(sources.bytes * share / whole / SHARD_BYTES))
        for split, share in shares.items()
    }


def _shard_of(entry: Entry, shares: Mapping[str, float], shards: Mapping[str, int]) -> tuple[str, int]:
    split = split_of(entry, shares)
    return split, name_hash(entry.name) % shards[split]


def _write_shard(
    shard_and_entries: tuple[tuple[str, int], Iterable[Entry]],
    uri: str,
    shards: Mapping[str, int],
    max_pixels: int,
    columns: tuple[str, ...],
) -> str:
    """Reads the shard's pictures and writes its file; returns what came of it as a line of JSON."""
    (split, shard), entries = shard_and_entries
    file = f"{uri}/Split-{split}/pictures-{shard:05d}-of-{shards[split]:05d}.gz"
    left_out: list[LeftOut] = []
    written = 0
    in_order = sorted(entries, key=lambda entry: name_hash(entry.name))
    with tf.io.TFRecordWriter(file, _GZIP) as writer, ThreadPoolExecutor(os.cpu_count()) as threads:
        for result in threads.map(lambda entry: read(entry, max_pixels, columns), in_order):
            if isinstance(result, LeftOut):
                left_out.append(result)
            else:
                writer.write(result.SerializeToString(deterministic=True))
                written += 1
            progress.advance()
    rows = [(item.name, item.reason, item.counts) for item in left_out]
    return json.dumps({"split": split, "read": written, "left_out": rows})


def _write_left_out(path: str, left_out: Iterable[LeftOut]) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "reason"))
        rows.writerows(item.row() for item in left_out)


def _stop_if_too_many(data: str, read_count: int, left_out: list[LeftOut], max_left_out: float) -> None:
    bad = [item for item in left_out if item.counts]
    seen = read_count + len(bad)
    if len(bad) > max_left_out * seen:
        examples = "; ".join(f"{item.name} {item.reason}" for item in bad[:3])
        raise BadInput(
            f"{data}: {len(bad)} of {seen} pictures ({len(bad) / seen:.1%}) cannot be used, more than the "
            f"{max_left_out:.1%} that data.max_left_out allows. The first: {examples}. "
            "Mend or remove them (all are listed in the run's left_out.csv), or raise data.max_left_out",
            [item.row() for item in left_out],
        )


def _stop_if_a_split_is_empty(
    where: str, outcomes: list[dict[str, Any]], shares: Mapping[str, float], left_out: list[LeftOut]
) -> None:
    for split in shares:
        if not any(one["read"] for one in outcomes if one["split"] == split):
            raise BadInput(
                f"{where}: no picture falls into the split {split!r}; add pictures, raise its share in data.splits, "
                "or name splits in a manifest",
                [item.row() for item in left_out],
            )
