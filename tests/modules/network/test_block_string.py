"""Block strings are read and written by one grammar: inverse to each other, and exact about what is wrong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficientmixnet.modules.layers.norm import KINDS, Norm
from efficientmixnet.modules.network.block_args import BlockArgs
from efficientmixnet.modules.network.choices import ACTIVATIONS

COUNTS = st.integers(1, 2**20)
SHARES = st.floats(0, 1, exclude_min=True, allow_subnormal=False)
BLOCKS = st.builds(
    BlockArgs,
    input_filters=COUNTS,
    output_filters=COUNTS,
    kernel_size=COUNTS | st.lists(COUNTS, min_size=1, max_size=5),
    strides=st.integers(1, 9),
    num_repeat=COUNTS,
    se_ratio=st.none() | SHARES,
    expand_ratio=COUNTS,
    identity_skip=st.booleans(),
    activation=st.none() | st.sampled_from(ACTIVATIONS),
    norm=st.builds(Norm, st.none() | st.sampled_from(sorted(KINDS)), st.none() | COUNTS),
    expand_groups=st.integers(1, 4),
    project_groups=st.integers(1, 4),
)
WELL_FORMED = "r2_k3.5.7_s22_e6_i16_o24_aswish_bbn_n5_se0.25"


@given(BLOCKS)
def test_a_written_block_string_reads_back_equal(block):
    assert BlockArgs.from_block_string(block.to_block_string()) == block


@given(BLOCKS, st.randoms())
def test_the_order_of_tokens_does_not_matter_after_the_first(block, random):
    # hard_swish and leaky_relu are single tokens, so the split has to respect the grammar.
    first, *rest = re.split("_(?!swish|relu)", block.to_block_string())
    random.shuffle(rest)
    assert BlockArgs.from_block_string("_".join([first, *rest])) == block


@given(st.text(alphabet="rksieoapbnw_0123456789.[], hlu", max_size=40) | st.text(max_size=40))
def test_any_text_is_a_block_or_a_one_line_error(text):
    try:
        block = BlockArgs.from_block_string(text)
    except ValueError as error:
        assert re.search(r"token .* at column \d+: ", str(error), re.DOTALL)
        assert len(str(error).splitlines()) == 1
    else:
        assert BlockArgs.from_block_string(block.to_block_string()) == block


@given(
    st.integers(1, 9),
    st.sampled_from(
        [
            "x3",
            "k",
            "k3.",
            "k[3",
            "k[]",
            "s2",
            "s12",
            "s00",
            "e0",
            "e6.5",
            "i-8",
            "oeight",
            "a2",
            "p1.2",
            "aswoosh",
            "bgn",
            "n0",
            "nNone",
            "se",
            "se0",
            "se1.5",
            "noskip2",
            "SW",
            "k3+4",
            "e٣",
            "eval('8')",
        ]
    ),
)
def test_the_error_points_at_the_wrong_token(place, bad):
    tokens = WELL_FORMED.split("_")
    column = len("_".join(tokens[:place])) + 2
    tokens.insert(place, bad)
    with pytest.raises(ValueError, match=rf"token .* at column {column}: "):
        BlockArgs.from_block_string("_".join(tokens))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("k3_r1", "token 'k3' at column 1: the first token is r"),
        ("r1_k3_k5", "token 'k5' at column 7: kernel_size is given twice"),
        ("r1_k3_s11_e1_i8_o8_sw_aswish", "token 'aswish' at column 23: activation is given twice"),
        ("r1_k3_s11", "token 's11' at column 7: the string ends here without its e, i, o"),
        ("r1_k3_s11_e1_i8_o8_", "token '' at column 20: expected one of"),
        ("r1_k3_s12_e1_i8_o8", "token 's12' at column 7: expected s and two equal strides"),
        ("r1_k3_s11_e1_i8_o8_aswoosh", "expected a and ones, like a1.1 or a and an activation: swish, mish"),
        (7, "7 is not a string"),
    ],
)
def test_the_error_says_what_was_expected(text, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        BlockArgs.from_block_string(text)


@pytest.mark.parametrize("kernels", ["k[3, 5, 7]", "k[3,5,7]", "k3.5.7"])
def test_kernel_lists_in_both_spellings(kernels):
    assert BlockArgs.from_block_string(f"r1_{kernels}_s11_e1_i8_o8").kernel_size == (3, 5, 7)


def test_the_mixnet_spelling_of_groups_and_swish():
    text = "r3_k3.5_a1.1_p1.1.1_s11_e6_i40_o40_se0.5_sw"
    assert BlockArgs.from_block_string(text) == BlockArgs(
        40, 40, (3, 5), 1, 3, 0.5, 6, activation="swish", expand_groups=2, project_groups=3
    )


def test_all_parts_of_the_2019_string():
    text = "r2_k[3, 5, 7]_s22_e6_i16_o24_amish_ban_n5_se0.25_noskip"
    block = BlockArgs(16, 24, (3, 5, 7), 2, 2, 0.25, 6, False, "mish", Norm("an", 5))
    assert BlockArgs.from_block_string(text) == block
    assert block.to_block_string() == text.replace("k[3, 5, 7]", "k3.5.7")
