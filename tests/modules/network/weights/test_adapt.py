"""Networks with other norms and larger kernels start with the function of keras.applications' networks."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import AttentiveNormalization, MixedDepthwiseConv2D
from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import EfficientNetBuilder, load_keras_applications_weights, load_timm_weights
from efficientmixnet.modules.network.variants import get_variant
from efficientmixnet.modules.network.weights.adapt import adapt

SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("B1", "B2", "B3")]


def difference(model: keras.Model, source: keras.Model) -> float:
    """The largest difference between the outputs, as a fraction of the largest output."""
    images = np.random.default_rng(1).random((2, 64, 64, 3)).astype("float32")
    expected = np.asarray(source(images * 255))  # they divide by 255 themselves
    return float(np.abs(np.asarray(model(images)) - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", ["B0", *SLOW])
@pytest.mark.parametrize(
    "norm",
    [Norm("an"), Norm("iebn"), Norm("an", placement="depthwise"), Norm("an", init="paper")],
    ids=lambda norm: " ".join(map(str, norm.given.values())),
)
def test_other_norms_keep_the_function(their_network: Callable[..., keras.Model], name: str, norm: Norm) -> None:
    source = their_network(name, classes=10)
    builder = EfficientNetBuilder((64, 64, 3), classes=10, classifier_activation=None, norm=norm)
    assert difference(load_keras_applications_weights(builder.default_model(name), source), source) < 1e-4


@pytest.mark.parametrize("name", ["B0", *SLOW])
def test_larger_kernels_keep_the_function(their_network: Callable[..., keras.Model], name: str) -> None:
    source, variant = their_network(name, classes=10), get_variant(name)
    larger = [
        replace(block, kernel_size=(block.kernel_sizes[0], block.kernel_sizes[0] + 4)) for block in variant.blocks
    ]
    builder = EfficientNetBuilder((64, 64, 3), classes=10, classifier_activation=None)
    model = builder.custom_model(larger, variant.width_coefficient, variant.depth_coefficient)
    assert difference(load_keras_applications_weights(model, source), source) < 1e-4


def test_the_maps_of_an_differ_so_that_each_can_learn(their_network: Callable[..., keras.Model]) -> None:
    builder = EfficientNetBuilder((64, 64, 3), classes=10, norm="an")
    model = load_keras_applications_weights(builder.default_model("B0"), their_network("B0", classes=10))
    gamma = np.asarray(model.get_layer("stem_norm").gamma)
    assert gamma.std(axis=0).min() > 0.01


def test_a_smaller_kernel_is_cut_out_of_the_center() -> None:
    layer = MixedDepthwiseConv2D((3, 5))
    layer.build((None, 8, 8, 2))
    kernel = np.arange(50, dtype="float32").reshape(5, 5, 2, 1)
    smaller, same = adapt(layer, [kernel])
    np.testing.assert_array_equal(smaller[..., 0, 0], [[12, 14, 16], [22, 24, 26], [32, 34, 36]])
    np.testing.assert_array_equal(same, kernel[:, :, 1:])


def test_timms_weights_start_other_norms_too() -> None:
    """The tensors have timm's names. AN's layers compute what batch normalization computes."""
    builder = EfficientNetBuilder((32, 32, 3), classes=2, classifier_activation=None)
    with_bn, with_an = (
        replace(builder, norm=norm).custom_model(["r1_k3_s11_e1_i8_o8"], stem_filters=8, head_filters=16)
        for norm in ("bn", "an")
    )
    rng = np.random.default_rng(0)
    shapes = {"conv_stem": (8, 3, 3, 3), "blocks.0.0.conv_dw": (8, 1, 3, 3), "blocks.0.0.conv_pw": (8, 8, 1, 1)}
    shapes |= {"conv_head": (16, 8, 1, 1), "classifier": (2, 16)}
    tensors = {f"{name}.weight": rng.normal(size=shape) for name, shape in shapes.items()}
    tensors["classifier.bias"] = rng.normal(size=2)
    for name, width in {"bn1": 8, "blocks.0.0.bn1": 8, "blocks.0.0.bn2": 8, "bn2": 16}.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{name}.{part}"] = rng.uniform(0.5, 1.5, width)
    images = rng.random((2, 32, 32, 3)).astype("float32")
    expected, outputs = (np.asarray(load_timm_weights(model, tensors)(images)) for model in (with_bn, with_an))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4)


@pytest.mark.parametrize("bias", [0.0, 3.0])
@pytest.mark.parametrize("scales", [[1.0, -1.0], [5.0, 2.0]])
def test_what_an_has_learned_does_not_count(bias: float, scales: list[float]) -> None:
    layer = AttentiveNormalization(2)
    layer.build((None, 1, 1, 1))
    layer.attention_bias.assign([bias, -bias])
    layer.gamma.assign([[scale] for scale in scales])
    layer.set_weights(adapt(layer, [np.array([value], "float32") for value in (3.0, 0.5, 1.0, 4.0)]))
    # 3 (x - 1) / sqrt(4 + .001) + .5 at 5
    np.testing.assert_allclose(layer(np.full((1, 1, 1, 1), 5.0, "float32")), [[[[6.49925]]]], rtol=1e-5)
