"""DistributedModel: a functional model whose `fit` runs under every strategy, over several workers too.

Keras 3's own knows no MultiWorkerMirroredStrategy (keras issue 20585), and accumulates gradients on one device only.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf


class DistributedModel(keras.Model):
    """Splits each device's batch into `accumulation_steps` parts, whose mean gradient makes one update.

    The parts come one after another, so that the memory holds one at a time; over the devices the gradients are summed
    once an update.
    """

    accumulation_steps = 1

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras reduces a batch over the replicas to learn its shape, which fails over workers: the model knows it.
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=(self.input, self.output))

    def train_step(self, data: Any) -> dict[str, Any]:
        return self._reducible(super().train_step(data) if self.accumulation_steps == 1 else self._train_in_parts(data))

    def test_step(self, data: Any) -> dict[str, Any]:
        return self._reducible(super().test_step(data))

    def _train_in_parts(self, batch: tuple[tf.Tensor, ...]) -> dict[str, Any]:
        sums: list[tf.Tensor] = []
        mean_loss, *_ = self.metrics
        for part in zip(*(tf.split(one, self.accumulation_steps) for one in batch), strict=True):
            with tf.control_dependencies(sums):  # or TensorFlow would compute the parts at the same time
                x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(map(tf.identity, part)))
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x, y, y_pred, weight)
                scaled = self.optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, self.trainable_weights)
            sums = [one + other for one, other in zip(sums, gradients, strict=True)] if sums else gradients
            # Keras divides a replica's loss by their number, for its gradient to be summed over them.
            mean_loss.update_state(loss * self.distribute_strategy.num_replicas_in_sync, tf.shape(x)[0])
            logs = self.compute_metrics(x, y, y_pred, weight)
        self.optimizer.apply_gradients(
            (total / self.accumulation_steps, weight)
            for total, weight in zip(sums, self.trainable_weights, strict=True)
        )
        return logs

    def _reducible(self, logs: Mapping[str, Any]) -> dict[str, Any]:
        """[] -> [1] over workers, where Keras averages each log along its first axis."""
        over_workers = isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy)
        return {name: tf.reshape(value, [1] if over_workers else []) for name, value in logs.items()}
