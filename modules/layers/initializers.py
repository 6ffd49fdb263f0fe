"""The initial weights of EfficientNet and MixNet.

They are Keras's VarianceScaling and RandomNormal, with draws from NumPy: JAX would compile its own draws for each
shape, which takes most of the time of building a network. fan_out of a kernel (height, width, in, out) is height *
width * out. A depthwise kernel (height, width, channels, 1) has out = 1, as in the source code of EfficientNet.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class VarianceScaling(keras.initializers.VarianceScaling):
    """keras.initializers.VarianceScaling, not truncated. NumPy draws, unless the seed is a SeedGenerator."""

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "uniform", seed: Any = None
    ) -> None:
        super().__init__(scale, mode, distribution, seed)
        if self.distribution == "truncated_normal":
            raise ValueError("VarianceScaling: distribution must be untruncated_normal or uniform.")

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if not isinstance(self.seed, int):
            return super().__call__(shape, dtype)
        fan_in, fan_out = (math.prod(shape[:-2]) * shape[axis] for axis in (-2, -1))
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, fan))
        rng = np.random.default_rng(self.seed)
        if self.distribution == "uniform":
            draws = (2 * rng.random(shape, "float32") - 1) * np.float32(math.sqrt(3) * deviation)
        else:
            draws = rng.standard_normal(shape, "float32") * np.float32(deviation)
        return ops.convert_to_tensor(draws, dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """The same with every version of Keras, since newer ones have further arguments."""
        config = super().get_config()
        return {name: config[name] for name in ("scale", "mode", "distribution", "seed")}


@keras.saving.register_keras_serializable(package="efficientmixnet")
class RandomNormal(keras.initializers.RandomNormal):
    """keras.initializers.RandomNormal. NumPy draws, unless the seed is a SeedGenerator."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if not isinstance(self.seed, int):
            return super().__call__(shape, dtype)
        draws = np.random.default_rng(self.seed).normal(self.mean, self.stddev, shape)
        return ops.convert_to_tensor(draws, dtype or keras.config.floatx())


def convolution_initializer(seed: int | None = None) -> keras.initializers.Initializer:
    """Returns the initializer of convolutions: N(0, sqrt(2 / fan_out)), not truncated."""
    return VarianceScaling(2.0, "fan_out", "untruncated_normal", seed)


def dense_initializer(seed: int | None = None) -> keras.initializers.Initializer:
    """Returns the initializer of dense layers: U(-1 / sqrt(classes), 1 / sqrt(classes))."""
    return VarianceScaling(1 / 3, "fan_out", "uniform", seed)


def nth_draw(initializer: Any, n: int) -> Any:
    """Returns a copy of an initializer for the n-th of several equal kernels, which would otherwise start equal."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer  # a function, which draws anew
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += n
    return type(initializer).from_config(config)
