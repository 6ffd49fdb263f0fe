"""A trained network for another task: another classifier, and layers that stay as they are."""

import keras

from efficientmixnet.modules.network.body import classifier

CLASSIFIER = "predictions"


def reset_classifier(
    model: keras.Model,
    classes: int,
    classifier_activation: str | None = "softmax",
    dropout_rate: float | None = None,
) -> keras.Model:
    """A model of the same layers with a new classifier; a given `dropout_rate` replaces the dropout before it.

    The model passed in shares all but the classifier with the new one.
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


def freeze(model: keras.Model, until: str | None = None) -> None:
    """Freezes all layers but the classifier, or those before the first one whose name starts with `until`.

    Normalizations everywhere are frozen: they use their moving statistics, in training too. `until` is a layer's
    name or its beginning, like "stage5". Compile the model afterwards.
    """
    names = [layer.name for layer in model.layers]
    first = CLASSIFIER if until is None else next((name for name in names if name.startswith(until)), None)
    if first is None:
        raise ValueError(
            f"freeze: no layer's name starts with {until!r}; give one like stage5, head_conv or predictions"
        )
    frozen = names[: names.index(first)] if first in names else names
    for layer in model.layers:
        layer.trainable = layer.name not in frozen and not is_normalization(layer)


def unfreeze(model: keras.Model, normalizations: bool = False) -> None:
    """Makes all layers trainable, but normalizations only if told so. Compile the model afterwards."""
    for layer in model.layers:
        layer.trainable = normalizations or not is_normalization(layer)


def is_normalization(layer: keras.layers.Layer) -> bool:
    """Whether a layer keeps moving statistics of batches: BN, AN or IEBN."""
    return isinstance(layer, keras.layers.BatchNormalization)
