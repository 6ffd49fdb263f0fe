"""JaxStep: a network's training step on JAX, compiled ahead. Weights and state are donated, as Keras's fit does it."""

from typing import Any

import jax
import keras
import numpy as np


class JaxStep:
    """Trains a network on one constant batch. The compiler runs at once, and the batch is sent to the device later.

    Args:
        model: The network, which predicts probabilities.
        optimizer: An optimizer that is built for the model's weights.
        images: [B, H, W, 3].
        labels: Class ids [B].
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, images: np.ndarray, labels: np.ndarray
    ) -> None:
        def loss(weights: list, fixed: list, x: Any, y: Any) -> tuple[Any, list]:
            outputs, fixed = model.stateless_call(weights, fixed, x, training=True)
            return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, outputs)), fixed

        def step(weights: list, fixed: list, state: list, x: Any, y: Any) -> tuple[list, list, list]:
            (_, fixed), gradients = jax.value_and_grad(loss, has_aux=True)(weights, fixed, x, y)
            weights, state = optimizer.stateless_apply(state, gradients, weights)
            return weights, fixed, state

        self._batch = (images, labels)
        self._held = [
            [jax.numpy.array(variable.value) for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        ]
        shapes = [jax.ShapeDtypeStruct(one.shape, jax.dtypes.canonicalize_dtype(one.dtype)) for one in self._batch]
        self._step = jax.jit(step, donate_argnums=(0, 1, 2)).lower(*self._held, *shapes).compile()

    def start(self) -> None:
        """Starts a step. The device may still be busy afterwards."""
        self._batch = tuple(map(jax.numpy.asarray, self._batch))  # the first time, this sends the batch
        self._held = list(self._step(*self._held, *self._batch))

    def wait(self) -> None:
        """Waits for all steps."""
        jax.block_until_ready(self._held)

    def __call__(self) -> None:
        self.start()
        self.wait()
