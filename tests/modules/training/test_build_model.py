"""The model scales its pixels, and its moving statistics adapt within an epoch."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.precision import precision
from efficientmixnet.modules.training.starting_weights import StartingWeights

SMALL = NetworkConfig(variant="custom", blocks=("r1_k3_s22_e2_i8_o8_se0.5",), stem_filters=8, head_filters=16)
PLAIN = ([0.0] * 3, [1.0] * 3)


def _momenta(model: keras.Model) -> set[float]:
    layers = [layer for layer in model._flatten_layers() if hasattr(layer, "momentum")]
    assert len(layers) >= 5  # the stem's, three in the block, the head's
    return {round(layer.momentum, 6) for layer in layers}


def test_pixels_get_zero_mean_and_unit_deviation_in_each_channel() -> None:
    model = build_model(SMALL, 8, 2, 10, mean=[0.5, 0.2, 0.4], deviation=[0.25, 0.1, 0.2])
    (scaling,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    pixels = np.array([[[[255, 51, 0], [0, 102, 153]]]], np.float32)
    # (1 - .5)/.25, (.2 - .2)/.1, (0 - .4)/.2 and (0 - .5)/.25, (.4 - .2)/.1, (.6 - .4)/.2
    np.testing.assert_allclose(scaling(pixels), [[[[2, 0, -2], [-2, 2, 1]]]], atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_scales_pixels_in_float32(policy: str) -> None:
    """Bands of 290 K, whose pixels are 255 times that, and neighboring levels of 16-bit images."""
    with precision(policy):
        model = build_model(SMALL, 8, 2, 10, mean=[290.0] * 3, deviation=[5.0] * 3)
    (scaling,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    scaled = keras.Model(model.input, scaling.output)
    kelvin = np.linspace(280, 300, 300, dtype="float32").reshape(1, 10, 10, 3)[:, :8, :8]
    np.testing.assert_allclose(scaled(255 * kelvin), (kelvin - 290) / 5, atol=1e-4)
    assert model.get_layer("stem_conv").compute_dtype == policy.removeprefix("mixed_")
    assert np.isfinite(model(255 * kelvin)).all()


def test_a_uint8_image_becomes_probabilities() -> None:
    model = build_model(SMALL, 8, 3, 10, *PLAIN)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    probabilities = model(images).numpy()
    assert probabilities.shape == (4, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model(images.astype(np.float32)).numpy(), probabilities, atol=1e-6)


@pytest.mark.parametrize(
    ("steps", "momentum"),
    [(1, 0.1), (2, 0.316), (8, 0.75), (21, 0.896), (40, 0.9), (100, 0.96), (400, 0.99), (4000, 0.99)],
)
def test_the_moving_statistics_adapt_within_an_epoch(steps: int, momentum: float) -> None:
    """Otherwise an untrained first epoch may have the lowest loss, and early stopping exports it."""
    (found,) = _momenta(build_model(SMALL, 8, 2, steps, *PLAIN))
    assert found == pytest.approx(momentum, abs=5e-4)
    assert found**steps < 0.1001


@pytest.mark.parametrize("total", [1, 4, 6, 10, 20, 39, 40, 1000])
def test_little_of_the_initial_moving_statistics_remains_after_few_steps(total: int) -> None:
    (momentum,) = _momenta(build_model(SMALL, 8, 2, total, *PLAIN, total_steps=total))  # one epoch
    assert momentum**total < 0.02


def test_a_configured_momentum_is_used() -> None:
    config = SMALL.model_copy(update={"batch_norm_momentum": 0.5})
    assert _momenta(build_model(config, 8, 2, 4000, *PLAIN)) == {0.5}


@pytest.mark.parametrize(("dropout", "rate"), [(None, 0.2), (0.0, 0.0), (0.5, 0.5)])
def test_dropout_precedes_the_classifier_unless_it_is_zero(dropout: float | None, rate: float) -> None:
    model = build_model(SMALL.model_copy(update={"dropout": dropout}), 8, 2, 10, *PLAIN)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == ([rate] if rate else [])


def test_a_named_variant_is_the_published_one() -> None:
    model = build_model(NetworkConfig(variant="B0", image_size=32), 32, 1000, 10, *PLAIN)
    assert model.count_params() == 5_330_564


@pytest.mark.parametrize("channels", [1, 5])
def test_a_model_takes_any_number_of_channels(channels: int) -> None:
    model = build_model(SMALL, 8, 3, 10, [0.5] * channels, [0.2] * channels)
    assert model(np.zeros((2, 8, 8, channels), np.uint8)).shape == (2, 3)


def test_weights_of_three_channels_start_a_network_of_five(tmp_path: Path) -> None:
    photographs = build_model(SMALL, 8, 3, 10, *PLAIN)
    photographs.save_weights(tmp_path / "a.weights.h5")
    start = StartingWeights.find(str(tmp_path / "a.weights.h5"))
    model = build_model(SMALL, 8, 3, 10, [0.5] * 5, [0.2] * 5, start=replace(start, statistics=PLAIN))
    given, kernel = (one.get_layer("stem_conv").kernel.numpy() for one in (photographs, model))
    np.testing.assert_allclose(kernel, given[:, :, [0, 1, 2, 0, 1]] * 3 / 5, rtol=1e-6)
    (scaling,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    np.testing.assert_allclose(scaling(np.full((1, 1, 1, 5), 255.0)), 2.5, rtol=1e-5)  # (1 - 0.5) / 0.2
