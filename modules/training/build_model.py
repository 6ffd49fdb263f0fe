"""The whole Keras model: pixels of 0 to 255 in, normalized by the training data's statistics, probabilities out."""

from collections.abc import Sequence

import keras

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.network.transfer_learning import reset_classifier
from efficientmixnet.modules.training.starting_weights import StartingWeights


def build_model(
    config: NetworkConfig,
    image_size: int,
    classes: int,
    steps_per_epoch: int,
    mean: Sequence[float],
    deviation: Sequence[float],
    synchronized: bool = False,
    start: StartingWeights | None = None,
    labels: Sequence[str] | None = None,
) -> keras.Model:
    """uint8 images [batch, size, size, 3] -> probabilities [batch, classes].

    Args:
        mean, deviation: Of R, G and B in [0, 1]; pixels are scaled by those that the starting weights know, if any.
        synchronized: Normalize over the batches of all devices.
        start: Weights to start from; their classifier stays if it has these labels, else it begins anew.

    Raises:
        BadInput: the starting weights are another network's.
    """
    if start and start.statistics:
        mean, deviation = start.statistics
    keeps_classifier = start is None or (start.labels is not None and start.labels == tuple(labels or ()))
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
        include_top=keeps_classifier,
        drop_connect_rate=config.drop_connect,
        mixed=config.mixed,
        activation=config.activation,
        norm=config.norm,
        batch_norm_momentum=momentum,
        synchronized=synchronized,
    )
    dropout = config.as_variant().dropout_rate if config.dropout is None else config.dropout
    if config.variant != "custom":
        model = builder.default_model(config.variant, dropout_rate=dropout)
    else:
        model = builder.custom_model(
            config.blocks,
            width_coefficient=config.width,
            depth_coefficient=config.depth,
            dropout_rate=dropout,
            stem_filters=config.stem_filters,
            head_filters=config.head_filters,
        )
    if start:
        start.load(model, config.as_variant().name)
    return model if keeps_classifier else reset_classifier(model, classes, dropout_rate=dropout)
