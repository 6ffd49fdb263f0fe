"""Predictions: what a model said of each image of a split, as `predict.py` wrote it; needs no TensorFlow."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from efficientmixnet.components.evaluator.measures import Outcomes
from efficientmixnet.modules import features
from efficientmixnet.modules.parquet_file import open_parquet

PREDICTIONS_FILE = "predictions.parquet"
LABEL_IDS, PROBABILITIES = "label_ids", "probabilities"  # columns; the others are named as features.py has them
BASELINE = "baseline_"  # before the name of each field of the baseline's Outcomes
OUTCOME = [field.name for field in fields(Outcomes) if field.name not in ("classes", "labels")]


class Predictions:
    """Reads one row group after another, so memory does not grow with the images but by a few numbers of each."""

    def __init__(self, path: str | Path) -> None:
        self._file = open_parquet(path)
        self.labels: list[str] = json.loads(self._file.schema_arrow.metadata[b"labels"])
        self.names = self._column(features.FILENAME)
        self.true_labels = self._column(features.LABEL)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def described(self) -> dict[str, np.ndarray]:
        """What was noted of each image, by feature, [images] each."""
        skipped = {features.FILENAME, features.LABEL, LABEL_IDS, PROBABILITIES}
        names = [name for name in self._file.schema_arrow.names if name not in skipped]
        return {name: self._column(name) for name in names if not name.startswith(BASELINE)}

    def outcomes(self) -> Outcomes:
        """The model's."""
        return Outcomes.together([Outcomes.of(*batch) for batch in self._batches()])

    def baseline_outcomes(self) -> Outcomes | None:
        """The baseline's; None without one."""
        if f"{BASELINE}{OUTCOME[0]}" not in self._file.schema_arrow.names:
            return None
        arrays = (self._column(BASELINE + name) for name in OUTCOME)
        return Outcomes(len(self.labels), self._column(LABEL_IDS), *arrays)

    def probabilities(self, classes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Labels [images], and the probabilities of these classes [images, len(classes)]."""
        parts = [(labels, probabilities[:, list(classes)]) for labels, probabilities in self._batches()]
        labels, probabilities = zip(*parts, strict=True)
        return np.concatenate(labels), np.concatenate(probabilities)

    def of(self, positions: np.ndarray, top: int) -> list[list[tuple[str, float]]]:
        """For the images at these positions the likeliest labels with their probabilities."""
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
