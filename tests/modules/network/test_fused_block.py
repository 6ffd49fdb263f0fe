"""Fused blocks compute what keras.applications' EfficientNetV2 computes, and cost what Keras counts."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import BlockArgs, EfficientNetBuilder
from efficientmixnet.modules.network.cost import summarize

V2_B0 = [
    "r1_k3_s11_e1_i32_o16_c1",
    "r2_k3_s22_e4_i16_o32_c1",
    "r2_k3_s22_e4_i32_o48_c1",
    "r3_k3_s22_e4_i48_o96_se0.25",
    "r5_k3_s11_e6_i96_o112_se0.25",
    "r8_k3_s22_e6_i112_o192_se0.25",
]


def test_a_network_with_fused_blocks_equals_efficientnet_v2():
    theirs = keras.applications.EfficientNetV2B0(
        weights=None, input_shape=(64, 64, 3), classes=10, include_preprocessing=False
    )
    rng = np.random.default_rng(0)
    for weight in theirs.weights:
        drawn = rng.normal(size=weight.shape)
        scale = 1 / np.sqrt(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.1
        weight.assign(
            1 + 0.1 * np.abs(drawn) if "variance" in weight.path else scale * drawn + ("gamma" in weight.path)
        )
    ours = EfficientNetBuilder((64, 64, 3), classes=10).custom_model(V2_B0)
    assert ours.count_params() == theirs.count_params()
    for mine, its in zip(ours.weights, theirs.weights, strict=True):
        mine.assign(keras.ops.reshape(its, mine.shape))
    images = rng.normal(size=(2, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(ours.predict(images, verbose=0), theirs.predict(images, verbose=0), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("block", ["r2_k3_s22_e4_i32_o24_se0.25_c1", "r2_k5_s11_e1_i32_o32_c1"])
def test_the_cost_of_a_fused_block_counts_its_weights(block):
    model = EfficientNetBuilder((32, 32, 3), classes=10).custom_model([block], head_filters=32)
    blocks = next(stage for stage in summarize([block]).stages if stage.name == "stage1")
    of_stage = sum(layer.count_params() for layer in model.layers if layer.name.startswith("stage1"))
    assert blocks.parameters == of_stage


def test_a_fused_block_multiplies_each_weight_for_each_pixel():
    """An image of 32 x 32 is 16 x 16 after the stem: 16 x 16 x (3 x 3 x 32 x 24 weights + 24 of the norm)."""
    stage = summarize(["r1_k3_s11_e1_i32_o24_c1"], input_shape=(32, 32, 3)).stages[1]
    assert stage.multiply_adds == 256 * (9 * 32 * 24 + 24)


def test_a_block_string_keeps_that_a_block_is_fused():
    block = BlockArgs.from_block_string("r2_k3_s22_e4_i16_o24_c1_se0.25")
    assert block.fused
    assert BlockArgs.from_block_string(block.to_block_string()) == block


def test_a_mixed_fused_block_is_refused():
    with pytest.raises(ValueError, match="fused: a fused block has one kernel size and no groups"):
        BlockArgs.from_block_string("r1_k3.5_s11_e4_i16_o16_c1")
