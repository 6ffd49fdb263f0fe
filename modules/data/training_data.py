"""TrainingData: the transformed images of a training run, and how they are read."""

from collections.abc import Sequence
from dataclasses import dataclass

from efficientmixnet.modules.data.batches import Reading, Records


@dataclass(frozen=True)
class TrainingData:
    """Transformed images, and how they are read."""

    train: Records
    evaluation: Records
    reading: Reading
    labels: Sequence[str]  # in the order of the probabilities
    class_weights: Sequence[float] | None = None  # in the same order

    @property
    def steps_per_epoch(self) -> int:
        return self.train.count // self.reading.batch_size
