"""The kernels behind a missing squeeze-excite get its gates."""

import math

import keras
import numpy as np

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
