"""The kernels behind a missing squeeze-excite get its gates."""

import math

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.network.weights.squeeze_excite import fold_squeeze_excite


def test_kernels_are_multiplied_by_the_gate_of_a_normal_activation() -> None:
    source: keras.Model = EfficientNetBuilder((16, 16, 3), classes=2, activation="relu").custom_model(
        ["r1_k3_s11_e1_i8_o8_se0.25"], stem_filters=8, head_filters=8
    )
    layer = source.get_layer("stage1_block1_squeeze_excite")
    reduce, expand = np.full((1, 1, 8, 2), 0.1, "float32"), np.full((1, 1, 2, 8), 0.5, "float32")
    layer.set_weights([reduce, np.zeros(2), expand, np.ones(8)])
    arrays = {each.name: each.get_weights() for each in source.layers if each.weights}
    before = arrays["stage1_block1_project_conv"][0].copy()
    fold_squeeze_excite(arrays, source, {"stage1_block1_project_conv"})
    # ReLU of a standard normal value has the mean 1 / sqrt(2 pi).
    inner = 8 * 0.1 / math.sqrt(2 * math.pi)
    gate = 1 / (1 + math.exp(-(2 * 0.5 * inner + 1)))
    np.testing.assert_allclose(arrays["stage1_block1_project_conv"][0], gate * before, rtol=5e-3)
    assert "stage1_block1_squeeze_excite" not in arrays


def test_a_squeeze_excite_that_the_other_network_has_is_kept() -> None:
    source: keras.Model = EfficientNetBuilder((16, 16, 3), classes=2).custom_model(
        ["r1_k3_s11_e1_i8_o8_se0.25"], stem_filters=8, head_filters=8
    )
    arrays = {each.name: each.get_weights() for each in source.layers if each.weights}
    fold_squeeze_excite(arrays, source, {each.name for each in source.layers})
    assert "stage1_block1_squeeze_excite" in arrays


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_gates_behind_an_follow_from_its_maps(data_format: str) -> None:
    """AN whose two maps have the weights 1/2 and the scales 1 and 2 gives normal values of deviation 1.5."""
    shape = (16, 16, 3) if data_format == "channels_last" else (3, 16, 16)
    source: keras.Model = EfficientNetBuilder(
        shape, classes=2, activation="relu", norm=Norm("an", n_mixture=2), data_format=data_format
    ).custom_model(["r1_k3_s11_e1_i8_o8_se0.25"], stem_filters=8, head_filters=8)
    norm = source.get_layer("stage1_block1_depthwise_norm")
    norm.gamma.assign(np.repeat([[1.0], [2.0]], 8, axis=1))
    norm.moving_mean.assign(np.full(8, 3.0))
    norm.moving_variance.assign(np.full(8, 4.0))
    reduce, expand = np.full((1, 1, 8, 2), 0.1, "float32"), np.full((1, 1, 2, 8), 0.5, "float32")
    source.get_layer("stage1_block1_squeeze_excite").set_weights([reduce, np.zeros(2), expand, np.ones(8)])
    arrays = {each.name: each.get_weights() for each in source.layers if each.weights}
    before = arrays["stage1_block1_project_conv"][0].copy()
    fold_squeeze_excite(arrays, source, {"stage1_block1_project_conv"})
    # ReLU of a normal value of deviation 1.5 has the mean 1.5 / sqrt(2 pi).
    inner = 8 * 0.1 * 1.5 / math.sqrt(2 * math.pi)
    gate = 1 / (1 + math.exp(-(2 * 0.5 * inner + 1)))
    np.testing.assert_allclose(arrays["stage1_block1_project_conv"][0], gate * before, rtol=5e-3)


def test_a_fused_block_without_a_norm_before_its_squeeze_excite_keeps_it() -> None:
    source: keras.Model = EfficientNetBuilder((16, 16, 3), classes=2).custom_model(
        ["r1_k3_s11_e1_i8_o8_se0.25_c1", "r1_k3_s22_e2_i8_o16_se0.25_c1"], stem_filters=8, head_filters=8
    )
    arrays = {each.name: each.get_weights() for each in source.layers if each.weights}
    kernels = arrays["stage2_block1_project_conv"][0].copy()
    fold_squeeze_excite(arrays, source, ())
    assert "stage1_block1_squeeze_excite" in arrays
    assert "stage2_block1_squeeze_excite" not in arrays
    assert (np.abs(arrays["stage2_block1_project_conv"][0]) < np.abs(kernels)).all()
