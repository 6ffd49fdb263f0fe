"""DistributedModel: a functional model whose `fit` works with every strategy, including several workers.

Keras 3 does not support MultiWorkerMirroredStrategy (keras issue 20585), and accumulates gradients on one device only.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from efficientmixnet.modules.distribution.augmenting_model import AugmentingModel


class DistributedModel(AugmentingModel):
    """Splits each device's batch into `accumulation_steps` small batches. Their mean gradient makes one update.

    The small batches are computed one after another, so that only one of them is in memory. The devices exchange
    gradients once for each update.
    """

    accumulation_steps = 1

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras reduces a batch over the replicas to get its shape, which fails with several workers. The model has it.
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=(self.input, self.output))

    def train_step(self, data: Any) -> dict[str, Any]:
        step = super().train_step if self.accumulation_steps == 1 else self._accumulate
        return self._reducible(step(data))

    def test_step(self, data: Any) -> dict[str, Any]:
        return self._reducible(super().test_step(data))

    def _accumulate(self, batch: tuple[tf.Tensor, ...]) -> dict[str, Any]:
        sums: list[tf.Tensor] = []
        mean_loss, *_ = self.metrics
        parts = (tf.split(one, self.accumulation_steps) for one in self.augmented(batch))
        for part in zip(*parts, strict=True):
            with tf.control_dependencies(sums):  # without it, TensorFlow would compute all of them at the same time
                x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(map(tf.identity, part)))
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x, y, y_pred, weight)
                scaled = self.optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, self.trainable_weights)
            sums = [one + other for one, other in zip(sums, gradients, strict=True)] if sums else gradients
            # Keras divides the loss by the number of replicas, because it sums the gradients over them.
            mean_loss.update_state(loss * self.distribute_strategy.num_replicas_in_sync, tf.shape(x)[0])
            logs = self.compute_metrics(x, y, y_pred, weight)
        self.optimizer.apply_gradients(
            (total / self.accumulation_steps, weight)
            for total, weight in zip(sums, self.trainable_weights, strict=True)
        )
        return logs

    def _reducible(self, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the logs as [1] with several workers, where Keras averages over the first axis, and else as []."""
        over_workers = isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy)
        return {name: tf.reshape(value, [1] if over_workers else []) for name, value in logs.items()}
