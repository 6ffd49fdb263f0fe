"""TrainingData: the transformed images of a training, and how to read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from efficientmixnet.modules.data.batches import Reading
from efficientmixnet.modules.data.records import Records


@dataclass(frozen=True)
class TrainingData:
    """The splits, the labels, and how to read the images."""

    train: Records
    evaluation: Records
    reading: Reading
    labels: Sequence[str]  # in the order of the probabilities
    held_out: Records | None = None  # a part of the training split, for calibration
    class_weights: Sequence[float] | None = None  # in the same order; None: all images weigh the same

    @property
    def steps_per_epoch(self) -> int:
        return self.train.count // self.reading.batch_size
