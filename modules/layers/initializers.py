"""The initial weights of EfficientNet and MixNet: convolutions from N(0, sqrt(2 / fan_out)), dense ones uniform.

They are Keras's own VarianceScaling, whose fan_out of a kernel (height, width, in, out) is height * width * out. A
depthwise kernel (height, width, channels, 1) has out = 1, as in the EfficientNet source.
"""

from typing import Any

import keras


def convolution_initializer(seed: int | None = None) -> keras.initializers.Initializer:
    """N(0, sqrt(2 / fan_out)), not truncated."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=seed)


def dense_initializer(seed: int | None = None) -> keras.initializers.Initializer:
    """U(-1 / sqrt(classes), 1 / sqrt(classes)): VarianceScaling's limit is sqrt(3 scale / fan_out)."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_out", "uniform", seed=seed)


def nth_draw(initializer: keras.initializers.Initializer, n: int) -> Any:
    """A copy of an initializer for the n-th of several like kernels: from one seed all would start equal."""
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += n
    return type(initializer).from_config(config)
