"""DropConnect: stochastic depth for residual branches."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class DropConnect(keras.layers.Layer):
    """Drops a residual branch for some samples in training, and scales it up for the others.

        out = x * bernoulli(1 - rate) / (1 - rate)        one draw per sample; the identity in inference

    Huang et al., "Deep networks with stochastic depth", arXiv 1603.09382. EfficientNet calls it drop connect. It drops
    whole branches, not single weights.

    Shape: (batch, ...) -> the same.

    Args:
        rate: The fraction of samples whose branch is dropped, 0 <= rate < 1.
        seed: Makes the draws repeatable.

    Raises:
        ValueError: rate is not in [0, 1).

    Example:
        >>> keras.ops.shape(DropConnect(0.2)(keras.ops.ones((2, 8)), training=False))
        (2, 8)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"DropConnect: rate must be at least 0 and less than 1, got {rate}.")
        self.rate = rate
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.rate == 0:
            return inputs
        keep = 1 - self.rate
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        kept = keras.random.uniform(shape, seed=self.seed_generator) < keep  # (batch, 1, ..., 1)
        return inputs * (ops.cast(kept, inputs.dtype) / keep)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
