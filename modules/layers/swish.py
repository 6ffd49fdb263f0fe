"""Swish: x sigmoid(x), also known as SiLU.

Ramachandran et al., "Searching for activation functions", arXiv 1710.05941.
"""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Swish(keras.layers.Layer):
    """Any shape -> the same shape."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return keras.ops.silu(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
