"""Runs an exported model over a split, and writes its predictions to a Parquet file that predictions.py reads.

A row group holds a few batches, so that memory use does not grow with the number of images.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from efficientmixnet.components.evaluator.measures import Outcomes
from efficientmixnet.components.loaded_model import load_model
from efficientmixnet.components.report.predictions import BASELINE, LABEL_IDS, OUTCOME, PROBABILITIES
from efficientmixnet.modules import features, progress
from efficientmixnet.modules.files.whole_file import whole_path

BATCH = 64
_GROUP = 16  # batches


class Classifier:
    """An exported model, with its classes mapped to another model's vocabulary.

    Args:
        folder: The folder of the SavedModel.
        labels: The other model's labels; None for the model's own.
    """

    def __init__(self, folder: str, labels: Sequence[str] | None = None) -> None:
        self.model = load_model(folder)
        self.labels = [label.decode() for label in self.model.class_labels().numpy()]
        further = [label for label in self.labels if label not in labels] if labels else []
        self._places = {label: place for place, label in enumerate([*(labels or self.labels), *further])}
        self._ours = {label: place for place, label in enumerate(self.labels)}

    def probabilities(self, examples: tf.Tensor) -> np.ndarray:
        """Returns the probabilities, float32 [batch, classes], for serialized tf.Examples [batch]."""
        return self.model.signatures["serving_examples"](examples)[features.PROBABILITIES].numpy()

    def outcomes(self, labels: Sequence[str], probabilities: np.ndarray) -> Outcomes:
        """Returns the outcomes for images with these labels.

        Classes have the numbers of the vocabulary, and further numbers where it does not contain them. A label that
        neither has is -1.
        """
        found = Outcomes.of(np.array([self._ours.get(label, -1) for label in labels]), probabilities)
        places = np.array([self._places[label] for label in self.labels])
        renamed = np.array([self._places.get(label, -1) for label in labels])
        arrays = (getattr(found, name) for name in OUTCOME[1:])
        return Outcomes(len(self._places), renamed, places[found.predicted], *arrays)


def write_predictions(model: Classifier, baseline: Classifier | None, files: Sequence[str], path: str) -> None:
    """Writes a row for each image: its features, and what the models predict.

    Args:
        model: The candidate model.
        baseline: The baseline model, if there is one.
        files: Gzipped TFRecords of tf.Examples.
        path: The Parquet file to write.
    """
    spec = _described(files)
    rows: list[pa.Table] = []
    with ExitStack() as stack:
        part = stack.enter_context(whole_path(path))
        writer: pq.ParquetWriter | None = None
        for examples in _records(files).batch(BATCH).prefetch(tf.data.AUTOTUNE):
            rows.append(_rows(model, baseline, examples, spec))
            writer = writer or stack.enter_context(pq.ParquetWriter(part, rows[0].schema))
            if len(rows) == _GROUP:
                writer.write_table(pa.concat_tables(rows))
                rows.clear()
            progress.advance(len(examples))
        if rows and writer:
            writer.write_table(pa.concat_tables(rows))


def images_of(files: Sequence[str], names: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Yields the names and bytes of the images with these names, as ingested."""
    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in (features.FILENAME, features.ENCODED)}
    wanted = tf.constant(sorted(names))
    parsed = _records(files).map(lambda record: tf.io.parse_single_example(record, spec))
    for found in parsed.filter(lambda one: tf.reduce_any(one[features.FILENAME] == wanted)):
        yield found[features.FILENAME].numpy().decode(), found[features.ENCODED].numpy()


def _records(files: Sequence[str]) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(list(files), compression_type="GZIP")


def _described(files: Sequence[str]) -> dict[str, tf.io.FixedLenFeature]:
    """Returns the features that have one short value in the first record."""
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
    columns[LABEL_IDS] = pa.array(model.outcomes(labels, probabilities).labels)
    columns[PROBABILITIES] = pa.FixedSizeListArray.from_arrays(probabilities.ravel(), len(model.labels))
    if baseline:
        compared = baseline.outcomes(labels, baseline.probabilities(examples))
        columns |= {BASELINE + name: pa.array(getattr(compared, name)) for name in OUTCOME}
    return pa.table(columns).replace_schema_metadata({"labels": json.dumps(model.labels)})
