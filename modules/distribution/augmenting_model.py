"""AugmentingModel: a functional model whose training step first augments the batch."""

from collections.abc import Callable
from typing import Any

import keras

Augment = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class AugmentingModel(keras.Model):
    """Trains on `augment(batch)`, with TensorFlow or JAX. Evaluation and prediction take images as they are."""

    augment: Augment | None = None

    def train_step(self, *arguments: Any) -> Any:
        *state, batch = arguments  # with JAX, the state of the training and a batch; with TensorFlow, a batch
        return super().train_step(*state, self.augmented(batch))

    def augmented(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """Returns the augmented batch, or the batch itself if there is nothing to augment."""
        return self.augment(batch) if self.augment else batch
