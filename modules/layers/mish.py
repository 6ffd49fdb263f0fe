"""Mish: x tanh(softplus(x)).

Misra, "Mish: a self regularized non-monotonic activation function", arXiv 1908.08681.
"""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Mish(keras.layers.Layer):
    """Any shape -> the same shape."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return keras.activations.mish(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
