"""ShardScorer: scores one shard of images, and writes its predictions to a Parquet file."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from efficientmixnet.components.image_example_gen.files import join
from efficientmixnet.modules import progress
from efficientmixnet.modules.files.whole_file import whole_file
from efficientmixnet.modules.text.secrets import mask, mask_urls
from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.scoring.image_classifier import BATCH

_READERS = 8  # threads, because an object store takes long to open each file


class ShardScorer:
    """Scores shards with one model.

    Args:
        model: The folder of the SavedModel.
        images: The folder that the names are relative to.
    """

    def __init__(self, model: str, images: str) -> None:
        self._classifier = Classifier(model)
        self._images = images

    def score(self, names: Sequence[str], file: Path) -> None:
        """Writes a row for each image: the prediction, or the reason why there is none. The write is atomic."""
        batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
        rows: list[dict[str, Any]] = []
        with ThreadPoolExecutor(_READERS) as readers:  # They read the next batch while the model runs.
            reading = readers.map(self._read, batches[0])
            for batch, following in zip(batches, [*batches[1:], []], strict=True):
                encoded = list(reading)
                reading = readers.map(self._read, following)
                rows += self._rows(batch, encoded)
                progress.advance(len(batch))
        with whole_file(file, "wb") as part:
            pq.write_table(pa.Table.from_pylist(rows, shard_schema(self._classifier.labels)), part)

    def _read(self, name: str) -> bytes | str:
        return self._classifier.read(join(self._images, name))

    def _rows(self, names: Sequence[str], encoded: list[bytes | str]) -> Iterator[dict[str, Any]]:
        readable = [one for one in encoded if isinstance(one, bytes)]
        predictions = iter(self._classifier.probabilities_of_each(readable))
        for name, one in zip(names, encoded, strict=True):
            prediction = next(predictions) if isinstance(one, bytes) else one
            if isinstance(prediction, str):
                yield {"file": mask_urls(name), "reason": mask(prediction)}
            else:
                best = int(prediction.argmax())
                label = self._classifier.labels[best]
                yield {
                    "file": mask_urls(name),
                    "label": label,
                    "probability": prediction[best],
                    "probabilities": prediction,
                }


def shard_schema(labels: list[str]) -> pa.Schema:
    """The columns of a shard's file. The schema's metadata holds the labels."""
    columns = {
        "file": pa.string(),
        "label": pa.string(),
        "probability": pa.float32(),
        "probabilities": pa.list_(pa.float32()),
        "reason": pa.string(),
    }
    return pa.schema(columns.items(), metadata={"labels": json.dumps(labels)})
