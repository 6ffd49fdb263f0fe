"""Fixture: the networks of keras.applications, with random weights and statistics."""

from collections.abc import Callable

import keras
import numpy as np
import pytest


@pytest.fixture(scope="session")
def their_network() -> Callable[..., keras.Model]:
    """Builds their network of this name, with random normalizations, as after a training."""

    def build(name: str, **options: object) -> keras.Model:
        keras.utils.set_random_seed(0)
        model = getattr(keras.applications, f"EfficientNet{name}")(
            weights=None, input_shape=(64, 64, 3), classifier_activation=None, **options
        )
        rng = np.random.default_rng(0)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                scale, variance = rng.uniform(0.9, 1.1, (2, *layer.gamma.shape))
                shift, mean = 0.1 * rng.normal(size=(2, *layer.gamma.shape))
                layer.set_weights([scale, shift, mean, variance])
        return model

    return build
