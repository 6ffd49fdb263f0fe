"""Predictions: reads the file that write_predictions.py writes, without TensorFlow."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from efficientmixnet.components.evaluator.measures import Outcomes
from efficientmixnet.modules import features
from efficientmixnet.modules.files.parquet_file import open_parquet

PREDICTIONS_FILE, TEST_PREDICTIONS_FILE = "predictions.parquet", "test_predictions.parquet"
LABEL_IDS, PROBABILITIES = "label_ids", "probabilities"  # columns; features.py names the others
BASELINE = "baseline_"  # prefix of the columns with the baseline model's Outcomes
OUTCOME = [field.name for field in fields(Outcomes) if field.name not in ("classes", "labels")]


class Predictions:
    """A model's predictions for each image of a split.

    Row groups are read one after another, so that only a few numbers for each image are in memory.

    Args:
        path: The Parquet file.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = open_parquet(path)
        self.labels: list[str] = json.loads(self._file.schema_arrow.metadata[b"labels"])
        self.names = self._column(features.FILENAME)
        self.true_labels = self._column(features.LABEL)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def described(self) -> dict[str, np.ndarray]:
        """The features that describe the images, by name, [images] each."""
        skipped = {features.FILENAME, features.LABEL, LABEL_IDS, PROBABILITIES}
        names = [name for name in self._file.schema_arrow.names if name not in skipped]
        return {name: self._column(name) for name in names if not name.startswith(BASELINE)}

    def outcomes(self) -> Outcomes:
        """Returns the outcomes of the model."""
        return Outcomes.together([Outcomes.of(*batch) for batch in self._batches()])

    def uncalibrated_outcomes(self, temperature: float) -> Outcomes:
        """Returns the outcomes that the model would have with temperature 1."""
        return Outcomes.together(
            [Outcomes.of(labels, _powers(probabilities, temperature)) for labels, probabilities in self._batches()]
        )

    def baseline_outcomes(self) -> Outcomes | None:
        """Returns the outcomes of the baseline model; None without one."""
        if f"{BASELINE}{OUTCOME[0]}" not in self._file.schema_arrow.names:
            return None
        predicted, *arrays = (self._column(BASELINE + name) for name in OUTCOME)
        classes = max(len(self.labels), int(predicted.max()) + 1)  # The baseline may have further classes.
        return Outcomes(classes, self._column(LABEL_IDS), predicted, *arrays)

    def probabilities(self, classes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Labels [images], and the probabilities of these classes [images, len(classes)]."""
        parts = [(labels, probabilities[:, list(classes)]) for labels, probabilities in self._batches()]
        labels, probabilities = zip(*parts, strict=True)
        return np.concatenate(labels), np.concatenate(probabilities)

    def of(self, positions: np.ndarray, top: int) -> list[list[tuple[str, float]]]:
        """Returns, for the images at these positions, the `top` most probable labels with their probabilities."""
        wanted, found, start = set(positions.tolist()), {}, 0
        for labels, probabilities in self._batches():
            for row in wanted & set(range(start, start + len(labels))):
                best = np.argsort(-probabilities[row - start], kind="stable")[:top]
                found[row] = [(self.labels[one], float(probabilities[row - start, one])) for one in best]
            start += len(labels)
        return [found[position] for position in positions.tolist()]

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for group in range(self._file.num_row_groups):
            table = self._file.read_row_group(group, [LABEL_IDS, PROBABILITIES])
            flat = pa.concat_arrays([chunk.flatten() for chunk in table[PROBABILITIES].chunks])
            yield table[LABEL_IDS].to_numpy(), flat.to_numpy().reshape(len(table), -1)

    def _column(self, name: str) -> np.ndarray:
        return self._file.read([name])[name].to_numpy()


def _powers(probabilities: np.ndarray, exponent: float) -> np.ndarray:
    powers = probabilities.astype("float64") ** exponent
    return powers / powers.sum(axis=1, keepdims=True)
