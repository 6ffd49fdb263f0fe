"""The defects of the 2019 code that the names come from, each with a test that it is not here."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import AttentiveNormalization, DropConnect, Mish
from efficientmixnet.modules.network import BlockArgs, EfficientNetBuilder, summarize

BLOCKS = [BlockArgs(32, 16, num_repeat=2, se_ratio=0.25), BlockArgs(16, 24, 3, 2, 2, 0.25, 6)]


@pytest.fixture(scope="module")
def chosen():
    """B0 with everything chosen otherwise."""
    builder = EfficientNetBuilder((32, 32, 3), classes=2, activation="mish", typeBN="an", n_mixture=3)
    return builder.default_model("B0")


def test_a_norm_follows_every_depthwise_convolution_with_one_kernel_size_too():
    model = EfficientNetBuilder((32, 32, 3), mixed=True).default_model("B0")
    for convolution in (layer for layer in model.layers if layer.name.endswith("depthwise_conv")):
        (following,) = [node.operation for node in convolution._outbound_nodes]
        assert isinstance(following, keras.layers.BatchNormalization), convolution.name


def test_default_model_keeps_activation_norm_and_mixture_inside_the_blocks(chosen):
    inside = [layer for layer in chosen.layers if layer.name.startswith("stage")]
    norms = [layer for layer in inside if isinstance(layer, keras.layers.BatchNormalization)]
    activations = [layer for layer in inside if layer.name.endswith("activation")]
    assert len(norms) == 16 * 3 - 1  # the first block does not expand
    assert {type(norm) for norm in norms} == {AttentiveNormalization}
    assert {norm.n_mixture for norm in norms} == {3}
    assert {type(activation) for activation in activations} == {Mish}


def test_the_head_is_rounded_by_the_width_so_b7_has_2560_channels():
    head = next(stage for stage in summarize("B7").stages if stage.name == "head")
    assert head.output_shape[-1] == 2560


def test_building_changes_no_block_list_and_scales_once():
    blocks = list(BLOCKS)
    builder = EfficientNetBuilder((32, 32, 3), classes=2)
    first = builder.custom_model(blocks, 1.5, 2.0)
    second = builder.custom_model(blocks, 1.5, 2.0)
    assert blocks == BLOCKS
    assert first.count_params() == second.count_params()
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


def test_the_drop_rate_follows_the_block_not_the_stage():
    model = EfficientNetBuilder((32, 32, 3), classes=2, drop_connect_rate=0.4).custom_model(BLOCKS)
    rates = {layer.name: layer.rate for layer in model.layers if isinstance(layer, DropConnect)}
    assert rates == {"stage1_block2_drop_connect": 0.1, "stage2_block2_drop_connect": pytest.approx(0.3)}


def test_block_strings_are_not_evaluated():
    with pytest.raises(ValueError, match="token 'k"):
        BlockArgs.from_block_string("r1_k[3].__class__([3,5])_s11_e1_i8_o8")
    with pytest.raises(ValueError, match="token 'k3\\+2'"):
        BlockArgs.from_block_string("r1_k3+2_s11_e1_i8_o8")


def test_noskip_removes_the_addition():
    block = BlockArgs.from_block_string("r2_k3_s11_e1_i8_o8_noskip")
    assert not block.identity_skip
    model = EfficientNetBuilder((8, 8, 3), classes=2).custom_model([block], stem_filters=8, head_filters=8)
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert np.isfinite(model(np.zeros((1, 8, 8, 3), "float32"))).all()


def test_a_block_without_n_mixture_reads_back():
    block = BlockArgs(8, 8, norm="an")
    assert BlockArgs.from_block_string(block.to_block_string()) == block
