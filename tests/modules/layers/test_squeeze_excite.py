from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import SqueezeExcite

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "tanh": np.tanh,
}


@pytest.mark.parametrize("kind", ["conv", "dense"])
@pytest.mark.parametrize(("inner", "gate"), [("swish", "sigmoid"), ("relu", "hard_sigmoid"), ("tanh", "tanh")])
def test_equals_the_equation(kind: str, inner: str, gate: str, rng: np.random.Generator) -> None:
    x = rng.standard_normal((3, 4, 5, 8), "float32")
    layer = SqueezeExcite(0.5, activation=inner, gate_activation=gate, kind=kind, bias_initializer="random_normal")
    outputs = layer(x)
    w1, b1, w2, b2 = (np.float64(weight) for weight in layer.get_weights())
    hidden = ACTIVATIONS[inner](np.float64(x).mean(axis=(1, 2)) @ w1.reshape(8, 4) + b1)
    gates = ACTIVATIONS[gate](hidden @ w2.reshape(4, 8) + b2)
    np.testing.assert_allclose(outputs, x * gates[:, None, None], atol=1e-5)


def test_a_number_by_hand() -> None:
    layer = SqueezeExcite(1.0, kernel_initializer="ones")
    # swish(1) = .7310586, sigmoid(.7310586) = .6750376; the map's mean is 1.
    outputs = layer(np.array([0.0, 2.0], "float32").reshape(1, 2, 1, 1))
    np.testing.assert_allclose(np.ravel(outputs), [0, 2 * 0.6750376], rtol=1e-6)


@pytest.mark.parametrize(
    ("ratio", "input_filters", "channels", "width"),
    [
        (0.25, 16, 96, 4),  # EfficientNet: relative to the block's input
        (0.25, None, 96, 24),
        (0.25, 3, 8, 1),  # int(.75) = 0: at least 1
        (0.05, 40, 240, 2),
    ],
)
def test_inner_width(ratio: float, input_filters: int | None, channels: int, width: int) -> None:
    layer = SqueezeExcite(ratio, input_filters)
    layer.build((None, None, None, channels))
    shapes = [(variable.name, variable.shape) for variable in layer.weights]
    assert shapes == [
        ("reduce_kernel", (1, 1, channels, width)),
        ("reduce_bias", (width,)),
        ("expand_kernel", (1, 1, width, channels)),
        ("expand_bias", (channels,)),
    ]


def test_dense_kernels_are_matrices() -> None:
    layer = SqueezeExcite(0.5, kind="dense")
    layer.build((None, None, None, 8))
    assert [variable.shape for variable in layer.weights] == [(8, 4), (4,), (4, 8), (8,)]


def test_channels_first_equals_channels_last(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5), "float32")
    last, first = SqueezeExcite(data_format="channels_last"), SqueezeExcite(data_format="channels_first")
    outputs = np.asarray(last(x))
    first.build((2, 5, 3, 4))
    first.set_weights(last.get_weights())
    moved = np.asarray(first(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(moved.transpose(0, 2, 3, 1), outputs, atol=1e-6)


def test_gradient_in_every_weight(gradients: Any, rng: np.random.Generator) -> None:
    x, upstream = rng.standard_normal((2, 3, 4, 4, 6), "float32")
    layer = SqueezeExcite(0.5)
    layer.build(x.shape)
    inputs, weights = gradients(layer, x, upstream)
    assert set(weights) == {"reduce_kernel", "reduce_bias", "expand_kernel", "expand_bias"}
    assert all(np.abs(value).min() > 0 for value in (inputs, *weights.values()))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ratio": 0.5, "input_filters": 3, "kind": "dense"},
        {"activation": keras.activations.mish, "gate_activation": "hard_sigmoid", "kernel_initializer": "he_normal"},
    ],
)
def test_saved_and_loaded_it_gives_identical_outputs(options: Any, reload: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 7, 6, 5), "float32")
    model, loaded = reload(SqueezeExcite(**options), (None, None, 5))
    np.testing.assert_array_equal(model(x), loaded(x))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


def test_invalid_options_are_refused() -> None:
    with pytest.raises(ValueError, match="ratio must be more than 0"):
        SqueezeExcite(0)
    with pytest.raises(ValueError, match="kind must be one of conv, dense, got 'linear'"):
        SqueezeExcite(kind="linear")
    with pytest.raises(ValueError, match=r"SqueezeExcite: data_format must be one of .*, got 'NHWC'"):
        SqueezeExcite(data_format="NHWC")
