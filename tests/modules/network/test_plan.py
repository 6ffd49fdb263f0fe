"""A network written out: widths, repeats, names and drop rates before any layer exists."""

import pytest

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.block_args import BlockArgs
from efficientmixnet.modules.network.cost import summarize
from efficientmixnet.modules.network.plan import plan_network, smallest_image_size, total_stride
from efficientmixnet.modules.network.variants import Variant, get_variant


def test_b0_has_sixteen_blocks_named_by_stage():
    names = [block.name for block in plan_network(get_variant("B0")).blocks]
    assert len(names) == 16
    assert names[0] == "stage1_block1"
    assert names[1:3] == ["stage2_block1", "stage2_block2"]
    assert names[-1] == "stage7_block1"


def test_only_the_first_block_of_a_row_changes_size_and_filters():
    second, third = plan_network(get_variant("B0")).blocks[1:3]
    assert (second.args.input_filters, second.args.output_filters, second.args.stride) == (16, 24, 2)
    assert (third.args.input_filters, third.args.output_filters, third.args.stride) == (24, 24, 1)


def test_the_drop_rate_grows_with_the_block_and_needs_a_shortcut():
    blocks = plan_network(get_variant("B0"), drop_connect_rate=0.32).blocks
    rates = [round(block.drop_rate, 6) for block in blocks]
    #        s1    s2          s3          s4                s5                 s6                       s7
    assert rates == [0, 0, 0.04, 0, 0.08, 0, 0.12, 0.14, 0, 0.18, 0.2, 0, 0.24, 0.26, 0.28, 0]


@pytest.mark.parametrize("name", ["B0", "MixNetS"])
def test_a_choice_applies_to_all_blocks_stem_and_head(name):
    plan = plan_network(get_variant(name), activation="mish", norm=Norm("an", 7))
    chosen = {(block.args.activation, block.norm) for block in plan.blocks}
    assert chosen == {("mish", Norm("an", 7, "all", "bn"))} == {(plan.activation, plan.norm)}


def test_without_a_choice_mixnet_keeps_relu_early_and_swish_late():
    plan = plan_network(get_variant("MixNetS"))
    assert [block.args.activation for block in plan.blocks] == ["relu"] * 3 + ["swish"] * 13
    assert plan.activation == "relu"


def test_embedding_width_is_not_scaled():
    assert plan_network(get_variant("B4"), embedding_width=100).head_filters == 100


def test_blocks_that_do_not_fit_together_are_named():
    variant = Variant("mine", (BlockArgs(32, 16), BlockArgs(24, 24)))
    with pytest.raises(ValueError, match="stage2_block1: takes 24 input filters, but stage1_block1 gives 16"):
        plan_network(variant)
    with pytest.raises(ValueError, match="stage1_block1: takes 16 input filters, but the stem gives 32"):
        plan_network(Variant("mine", (BlockArgs(16, 16),)))


def test_total_stride_includes_the_stem_and_each_row_once():
    assert total_stride(["r1_k3_s11_e1_i32_o16", BlockArgs(16, 24, strides=2, num_repeat=3)]) == 4
    assert smallest_image_size("B7") == smallest_image_size("MixNetL") == 32
    with pytest.raises(ValueError, match="block list: it is empty"):
        total_stride([])


def test_squeeze_excite_can_be_left_out() -> None:
    def ratios(choice: str, norm: str) -> set[float | None]:
        plan = plan_network(get_variant("B0"), norm=norm, squeeze_excite=choice)
        return {block.args.se_ratio for block in plan.blocks}

    assert ratios("always", "an") == ratios("auto", "bn") == {0.25}
    assert ratios("never", "bn") == ratios("auto", "an") == {None}


def test_a_fused_block_keeps_its_squeeze_excite_unless_it_has_attentive_normalization() -> None:
    variant = Variant("mine", tuple(BlockArgs(32, 32, se_ratio=0.25, fused=fused) for fused in (True, False)))

    def ratios(norm: Norm) -> list[float | None]:
        return [block.args.se_ratio for block in plan_network(variant, norm=norm, squeeze_excite="auto").blocks]

    assert ratios(Norm("an", placement="depthwise")) == [0.25, None]  # no depthwise convolution, so bn
    assert ratios(Norm("an")) == [None, None]


def test_a_norm_behind_depthwise_convolutions_only_leaves_batch_normalization_elsewhere() -> None:
    """AN has 3 K C + K trainable weights instead of 2 C: 13 C + 5 more with K = 5, for each depthwise convolution."""
    channels = [block.args.expanded_filters for block in plan_network(get_variant("B0")).blocks]
    placed = summarize("B0", norm=Norm("an", placement="depthwise"))
    assert placed.parameters - summarize("B0").parameters == sum(13 * count + 5 for count in channels)
