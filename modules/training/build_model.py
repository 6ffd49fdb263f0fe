"""build_model: builds the Keras model from a configuration, with the scaling of its pixels."""

import math
from collections.abc import Sequence

import keras

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.network.transfer_learning import reset_classifier
from efficientmixnet.modules.training.starting_weights import StartingWeights

_DROP_CONNECT = 0.2  # the rate of the published networks


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
    total_steps: int | None = None,
) -> keras.Model:
    """Builds the network. Its pixels are scaled by the training split's statistics, or by the starting weights'.

    Args:
        config: The section `network` of the configuration.
        image_size: The side of the images, in pixels.
        classes: The number of classes.
        steps_per_epoch: Sets the default momentum of batch normalization.
        mean: The mean of each channel, where white is 1.
        deviation: The standard deviation of each channel.
        synchronized: Whether normalization layers use the batches of all devices.
        start: The weights to start from. Their classifier is kept if it has the same labels.
        labels: The labels in the order of the probabilities.
        total_steps: The training steps of all epochs, which lowers that momentum if there are few; None: many.

    Returns:
        A model from uint8 images [batch, size, size, channels] to probabilities [batch, classes].

    Raises:
        BadInput: The starting weights are another network's.
    """
    if start and start.statistics and len(start.statistics[0]) == len(mean):
        mean, deviation = start.statistics
    keeps_classifier = start is None or (start.labels is not None and start.labels == tuple(labels or ()))
    momentum = config.batch_norm_momentum
    if momentum is None:
        # The moving statistics adapt within a quarter of an epoch, so that even the first evaluation is right. In an
        # epoch of few steps, nine tenths of them come from its batches. If the whole training has only a few steps,
        # they adapt within a quarter of it.
        of_epoch = min(max(1 - 4 / steps_per_epoch, 0.9), 0.1 ** (1 / steps_per_epoch))
        of_training = max(1 - 4 / (total_steps or math.inf), 0.0)
        momentum = min(of_epoch, of_training, 0.99)
    pixels = keras.Input((image_size, image_size, len(mean)), name="pixels")
    scaled = keras.layers.Rescaling(
        [1 / (255 * d) for d in deviation],
        [-m / d for m, d in zip(mean, deviation, strict=True)],
        dtype="float32",  # Half precision lacks the levels of 16-bit images and the range of float bands.
    )
    builder = EfficientNetBuilder(
        input_tensor=scaled(pixels),
        classes=classes,
        include_top=keeps_classifier,
        drop_connect_rate=_DROP_CONNECT if config.drop_connect is None else config.drop_connect,
        mixed=config.mixed,
        activation=config.activation,
        norm=config.placed_norm,
        squeeze_excite=config.squeeze_excite,
        stem_stride=config.stem_stride,
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
