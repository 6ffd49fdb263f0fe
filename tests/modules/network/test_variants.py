"""The tables of the published networks."""

import subprocess
import sys

import pytest

from efficientmixnet.modules.network.block_args import BlockArgs
from efficientmixnet.modules.network.variants import (
    EFFICIENTNET_BLOCKS,
    MIXNET_M_BLOCKS,
    MIXNET_S_BLOCKS,
    deepen,
    get_variant,
    list_variants,
)

# The strings of tensorflow/tpu's efficientnet and mnasnet/mixnet builders.
PUBLISHED = {
    EFFICIENTNET_BLOCKS: """r1_k3_s11_e1_i32_o16_se0.25 r2_k3_s22_e6_i16_o24_se0.25 r2_k5_s22_e6_i24_o40_se0.25
        r3_k3_s22_e6_i40_o80_se0.25 r3_k5_s11_e6_i80_o112_se0.25 r4_k5_s22_e6_i112_o192_se0.25
        r1_k3_s11_e6_i192_o320_se0.25""",
    MIXNET_S_BLOCKS: """r1_k3_a1_p1_s11_e1_i16_o16 r1_k3_a1.1_p1.1_s22_e6_i16_o24 r1_k3_a1.1_p1.1_s11_e3_i24_o24
        r1_k3.5.7_a1_p1_s22_e6_i24_o40_se0.5_sw r3_k3.5_a1.1_p1.1_s11_e6_i40_o40_se0.5_sw
        r1_k3.5.7_a1_p1.1_s22_e6_i40_o80_se0.25_sw r2_k3.5_a1_p1.1_s11_e6_i80_o80_se0.25_sw
        r1_k3.5.7_a1.1_p1.1_s11_e6_i80_o120_se0.5_sw r2_k3.5.7.9_a1.1_p1.1_s11_e3_i120_o120_se0.5_sw
        r1_k3.5.7.9.11_a1_p1_s22_e6_i120_o200_se0.5_sw r2_k3.5.7.9_a1_p1.1_s11_e6_i200_o200_se0.5_sw""",
    MIXNET_M_BLOCKS: """r1_k3_a1_p1_s11_e1_i24_o24 r1_k3.5.7_a1.1_p1.1_s22_e6_i24_o32 r1_k3_a1.1_p1.1_s11_e3_i32_o32
        r1_k3.5.7.9_a1_p1_s22_e6_i32_o40_se0.5_sw r3_k3.5_a1.1_p1.1_s11_e6_i40_o40_se0.5_sw
        r1_k3.5.7_a1_p1_s22_e6_i40_o80_se0.25_sw r3_k3.5.7.9_a1.1_p1.1_s11_e6_i80_o80_se0.25_sw
        r1_k3_a1_p1_s11_e6_i80_o120_se0.5_sw r3_k3.5.7.9_a1.1_p1.1_s11_e3_i120_o120_se0.5_sw
        r1_k3.5.7.9_a1_p1_s22_e6_i120_o200_se0.5_sw r3_k3.5.7.9_a1_p1.1_s11_e6_i200_o200_se0.5_sw""",
}


@pytest.mark.parametrize("table", PUBLISHED, ids=["EfficientNet", "MixNet S", "MixNet M"])
def test_tables_equal_the_published_strings(table):
    assert table == tuple(map(BlockArgs.from_block_string, PUBLISHED[table].split()))


@pytest.mark.parametrize(
    ("name", "width", "depth", "size", "dropout"),
    [
        ("B0", 1.0, 1.0, 224, 0.2),
        ("B1", 1.0, 1.1, 240, 0.2),
        ("B2", 1.1, 1.2, 260, 0.3),
        ("B3", 1.2, 1.4, 300, 0.3),
        ("B4", 1.4, 1.8, 380, 0.4),
        ("B5", 1.6, 2.2, 456, 0.4),
        ("B6", 1.8, 2.6, 528, 0.5),
        ("B7", 2.0, 3.1, 600, 0.5),
        ("B8", 2.2, 3.6, 672, 0.5),
        ("L2", 4.3, 5.3, 800, 0.5),
        ("MixNetS", 1.0, 1.0, 224, 0.2),
        ("MixNetM", 1.0, 1.0, 224, 0.25),
        ("MixNetL", 1.3, 1.0, 224, 0.25),
    ],
)
def test_published_factors(name, width, depth, size, dropout):
    variant = get_variant(name)
    assert (variant.width_coefficient, variant.depth_coefficient) == (width, depth)
    assert (variant.default_size, variant.dropout_rate) == (size, dropout)


def test_every_listed_name_is_found_in_the_usual_spellings():
    for name in list_variants():
        assert get_variant(name).name == get_variant(name.lower()).name == name
    assert get_variant("B0") is get_variant("efficientnet-b0") is get_variant("tf_efficientnet_b0")
    assert get_variant("MixNetS") is get_variant("mixnet_s") is get_variant("tf_mixnet_s")


def test_an_unknown_variant_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"variant 'B9': .*EfficientNetB0, .*MixNetXXL"):
        get_variant("B9")


def test_depth_is_distributed_from_the_end_of_a_stage():
    # timm's mixnet_xl and mixnet_xxl: their repeats, row by row.
    assert [block.num_repeat for block in deepen(MIXNET_M_BLOCKS, 1.2)] == [1, 1, 1, 1, 4, 1, 4, 1, 4, 1, 4]
    assert [block.num_repeat for block in deepen(MIXNET_M_BLOCKS, 1.3)] == [1, 1, 2, 1, 4, 1, 4, 1, 4, 1, 4]


def test_mixed_changes_only_kernels_and_not_mixnets():
    mixed = get_variant("B0").mixed()
    sizes = [block.kernel_sizes for block in mixed.blocks]
    assert sizes == [(3,), (3, 5, 7), (5, 7, 9), (3, 5, 7), (3, 5, 7, 9), (3, 5, 7, 9), (3,)]
    assert get_variant("MixNetM").mixed() is get_variant("MixNetM")


def test_tables_strings_and_counts_need_no_keras():
    code = """
import sys
from efficientmixnet.modules import network
network.list_variants(), network.BlockArgs, network.get_variant("B0"), network.smallest_image_size("B0")
network.summarize("MixNetS"), network.compound_scale(1), network.optimize_coefficients
assert "keras" not in sys.modules and "scipy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
