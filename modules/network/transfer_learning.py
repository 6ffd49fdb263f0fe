"""Adapts a trained network to another task: a new classifier, and frozen layers."""

import keras

from efficientmixnet.modules.layers.modulated_batch_normalization import ModulatedBatchNormalization
from efficientmixnet.modules.network.body import classifier

CLASSIFIER = "predictions"


def reset_classifier(
    model: keras.Model,
    classes: int,
    classifier_activation: str | None = "softmax",
    dropout_rate: float | None = None,
) -> keras.Model:
    """Returns a model with the same layers and a new classifier.

    The new model shares all other layers with the given one.

    Args:
        model: A model with a classifier, or one that ends with pooling.
        classes: The number of classes.
        dropout_rate: Replaces the dropout rate before the classifier. None: as in the given model.

    Raises:
        ValueError: The model ends with feature maps.
    """
    x = model.output
    names = [layer.name for layer in model.layers]
    if CLASSIFIER in names:
        x = model.get_layer(CLASSIFIER).input
        if dropout_rate is not None and "dropout" in names:
            x = model.get_layer("dropout").input
    if isinstance(x, dict) or len(x.shape) != 2:
        raise ValueError('reset_classifier: the model ends in feature maps; build it with pooling="avg" or "max"')
    return keras.Model(model.input, classifier(x, classes, classifier_activation, dropout_rate or 0.0), name=model.name)


def freeze(model: keras.Model, until: str | None = None, normalizations: bool = False) -> None:
    """Freezes all layers except the classifier, or all layers before `until`. Compile the model afterwards.

    By default, normalizations after `until` use their moving statistics in training. BN is frozen. The weights of AN
    and IEBN train, because a network that starts from weights with BN has not learned to use them.

    Args:
        model: The model to change.
        until: The first layer to train: a layer's name or its beginning, such as "stage5". None: the classifier.
        normalizations: Whether to train all of the normalizations after `until`, with their moving statistics.

    Raises:
        ValueError: No layer has this name.
    """
    names = [layer.name for layer in model.layers]
    first = CLASSIFIER if until is None else next((name for name in names if name.startswith(until)), None)
    if first is None:
        raise ValueError(
            f"freeze: no layer's name starts with {until!r}; give one like stage5, head_conv or predictions"
        )
    frozen = names[: names.index(first)] if first in names else names
    for layer in model.layers:
        _set_trainable(layer, layer.name not in frozen, normalizations)


def unfreeze(model: keras.Model, normalizations: bool = False) -> None:
    """Makes all layers trainable, but BN and the statistics of AN and IEBN only if asked.

    Compile the model afterwards.
    """
    for layer in model.layers:
        _set_trainable(layer, True, normalizations)


def _set_trainable(layer: keras.layers.Layer, trainable: bool, normalizations: bool) -> None:
    if isinstance(layer, ModulatedBatchNormalization):
        layer.frozen_statistics = not normalizations
    elif isinstance(layer, keras.layers.BatchNormalization):
        trainable = trainable and normalizations
    layer.trainable = trainable
