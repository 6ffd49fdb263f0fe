"""The whole Keras model: pixels of 0 to 255 in, normalised by the training data's statistics, probabilities out."""

from collections.abc import Sequence

import keras

from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.training_config import NetworkConfig


def build_model(
    config: NetworkConfig,
    image_size: int,
    classes: int,
    steps_per_epoch: int,
    mean: Sequence[float],
    deviation: Sequence[float],
    synchronized: bool = False,
) -> keras.Model:
    """uint8 pictures [batch, size, size, 3] -> probabilities [batch, classes].

    `mean` and `deviation` are of R, G and B in [0, 1]; `synchronized` normalises over the batches of all devices.
    """
    momentum = config.batch_norm_momentum
    if momentum is None:
        # The moving statistics follow within a quarter of an epoch, so that evaluation is right from the first one on.
        momentum = min(max(1 - 4 / steps_per_epoch, 0.9), 0.99)
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    scaled = keras.layers.Rescaling(
        [1 / (255 * d) for d in deviation], [-m / d for m, d in zip(mean, deviation, strict=True)]
    )
    builder = EfficientNetBuilder(
        input_tensor=scaled(pixels),
        classes=classes,
        drop_connect_rate=config.drop_connect,
        mixed=config.mixed,
        activation=config.activation,
        typeBN=config.norm,
        n_mixture=config.n_mixture,
        batch_norm_momentum=momentum,
        synchronized=synchronized,
    )
    if config.variant != "custom":
        return builder.default_model(config.variant, dropout_rate=config.dropout)
    return builder.custom_model(
        config.blocks,
        width_coefficient=config.width,
        depth_coefficient=config.depth,
        dropout_rate=0.2 if config.dropout is None else config.dropout,
        stem_filters=config.stem_filters,
        head_filters=config.head_filters,
    )
