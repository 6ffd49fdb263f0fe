"""Predictions: what a model says of each picture of a split, in one pass, as a Parquet file.

A row group holds a few batches, so memory does not grow with the pictures, neither in writing nor in reading.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from efficientmixnet.modules import features, progress
from efficientmixnet.modules.measures import Outcomes

BATCH = 64
_GROUP = 16  # batches
_LABEL_IDS, _PROBABILITIES = "label_ids", "probabilities"  # columns; the others are named as features.py has them
_BASELINE = "baseline_"  # before the name of each field of the baseline's Outcomes
_OUTCOME = [field.name for field in fields(Outcomes) if field.name not in ("classes", "labels")]


class Classifier:
    """An exported model, and where its classes stand in another model's vocabulary."""

    def __init__(self, folder: str, labels: Sequence[str] | None = None) -> None:
        self.model = tf.saved_model.load(folder)
        self.labels = [label.decode() for label in self.model.class_labels().numpy()]
        self._places = {label: place for place, label in enumerate(labels or self.labels)}
        self._ours = {label: place for place, label in enumerate(self.labels)}

    def probabilities(self, examples: tf.Tensor) -> np.ndarray:
        """Serialized tf.Examples [batch] -> float32 [batch, classes]."""
        return self.model.signatures["serving_examples"](examples)[features.PROBABILITIES].numpy()

    def outcomes(self, labels: Sequence[str], probabilities: np.ndarray) -> Outcomes:
        """Of pictures with these labels; the classes' numbers are the vocabulary's, -1 for one that is not in it."""
        found = Outcomes.of(np.array([self._ours.get(label, -1) for label in labels]), probabilities)
        places = np.array([self._places.get(label, -1) for label in self.labels])
        renamed = np.array([self._places.get(label, -1) for label in labels])
        arrays = (getattr(found, name) for name in _OUTCOME[1:])
        return Outcomes(len(self._places), renamed, places[found.named], *arrays)


def write_predictions(model: Classifier, baseline: Classifier | None, files: Sequence[str], path: str) -> None:
    """Writes a row for each tf.Example of the gzipped TFRecords: what describes it, and what the two say of it."""
    spec = _described(files)
    rows: list[pa.Table] = []
    writer: pq.ParquetWriter | None = None
    try:
        for examples in _records(files).batch(BATCH).prefetch(tf.data.AUTOTUNE):
            rows.append(_rows(model, baseline, examples, spec))
            writer = writer or pq.ParquetWriter(path, rows[0].schema)
            if len(rows) == _GROUP:
                writer.write_table(pa.concat_tables(rows))
                rows.clear()
            progress.advance(len(examples))
        if rows and writer:
            writer.write_table(pa.concat_tables(rows))
    finally:
        if writer:
            writer.close()


def pictures_of(files: Sequence[str], names: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """The encoded pictures of these names, as they were ingested."""
    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in (features.FILENAME, features.ENCODED)}
    wanted = tf.constant(sorted(names))
    parsed = _records(files).map(lambda record: tf.io.parse_single_example(record, spec))
    for found in parsed.filter(lambda one: tf.reduce_any(one[features.FILENAME] == wanted)):
        yield found[features.FILENAME].numpy().decode(), found[features.ENCODED].numpy()


class Predictions:
    """Reads what `write_predictions` wrote."""

    def __init__(self, path: str | Path) -> None:
        self._file = pq.ParquetFile(path)
        self.labels: list[str] = json.loads(self._file.schema_arrow.metadata[b"labels"])
        self.names = self._column(features.FILENAME)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def described(self) -> dict[str, np.ndarray]:
        """What was noted of each picture, by feature, [pictures] each."""
        skipped = {features.FILENAME, features.LABEL, _LABEL_IDS, _PROBABILITIES}
        names = [name for name in self._file.schema_arrow.names if name not in skipped]
        return {name: self._column(name) for name in names if not name.startswith(_BASELINE)}

    def outcomes(self) -> Outcomes:
        """The model's."""
        return Outcomes.together([Outcomes.of(*batch) for batch in self._batches()])

    def baseline_outcomes(self) -> Outcomes | None:
        """The baseline's; None without one."""
        if f"{_BASELINE}{_OUTCOME[0]}" not in self._file.schema_arrow.names:
            return None
        arrays = (self._column(_BASELINE + name) for name in _OUTCOME)
        return Outcomes(len(self.labels), self._column(_LABEL_IDS), *arrays)

    def probabilities(self, classes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Labels [pictures], and the probabilities of these classes [pictures, len(classes)]."""
        parts = [(labels, probabilities[:, list(classes)]) for labels, probabilities in self._batches()]
        labels, probabilities = zip(*parts, strict=True)
        return np.concatenate(labels), np.concatenate(probabilities)

    def of(self, positions: np.ndarray, top: int) -> list[list[tuple[str, float]]]:
        """For the pictures at these positions the likeliest labels with their probabilities."""
        wanted, found, start = set(positions.tolist()), {}, 0
        for labels, probabilities in self._batches():
            for row in wanted & set(range(start, start + len(labels))):
                best = np.argsort(-probabilities[row - start], kind="stable")[:top]
                found[row] = [(self.labels[one], float(probabilities[row - start, one])) for one in best]
            start += len(labels)
        return [found[position] for position in positions.tolist()]

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for group in range(self._file.num_row_groups):
            table = self._file.read_row_group(group, [_LABEL_IDS, _PROBABILITIES])
            flat = pa.concat_arrays([chunk.flatten() for chunk in table[_PROBABILITIES].chunks])
            yield table[_LABEL_IDS].to_numpy(), flat.to_numpy().reshape(len(table), -1)

    def _column(self, name: str) -> np.ndarray:
        return self._file.read([name])[name].to_numpy()


def _records(files: Sequence[str]) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(list(files), compression_type="GZIP")


def _described(files: Sequence[str]) -> dict[str, tf.io.FixedLenFeature]:
    """The features with one short value a picture, as the first record has them."""
    spec = {}
    for record in _records(files).take(1):
        for name, feature in tf.train.Example.FromString(record.numpy()).features.feature.items():
            if name != features.ENCODED and len(feature.bytes_list.value) == 1:
                spec[name] = tf.io.FixedLenFeature([], tf.string, "")
            elif len(feature.int64_list.value) == 1:
                spec[name] = tf.io.FixedLenFeature([], tf.int64, -1)
    return spec


def _rows(
    model: Classifier, baseline: Classifier | None, examples: tf.Tensor, spec: dict[str, tf.io.FixedLenFeature]
) -> pa.Table:
    described = {name: value.numpy() for name, value in tf.io.parse_example(examples, spec).items()}
    columns = {
        name: pa.array([one.decode() for one in values] if values.dtype == object else values)
        for name, values in described.items()
    }
    labels = columns[features.LABEL].to_pylist()
    probabilities = model.probabilities(examples)
    columns[_LABEL_IDS] = pa.array(model.outcomes(labels, probabilities).labels)
    columns[_PROBABILITIES] = pa.FixedSizeListArray.from_arrays(probabilities.ravel(), len(model.labels))
    if baseline:
        beside = baseline.outcomes(labels, baseline.probabilities(examples))
        columns |= {_BASELINE + name: pa.array(getattr(beside, name)) for name in _OUTCOME}
    return pa.table(columns).replace_schema_metadata({"labels": json.dumps(model.labels)})
