"""BlockArgs holds one row of a network's table, checked once and never changed."""

from dataclasses import FrozenInstanceError, replace

import pytest

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.block_args import BlockArgs


def test_positional_arguments_follow_the_documented_order():
    block = BlockArgs(16, 24, 5, (2, 2), 3, 0.25, 6, False, "mish", Norm("an", 4))
    assert block == BlockArgs(
        input_filters=16,
        output_filters=24,
        kernel_size=5,
        strides=(2, 2),
        num_repeat=3,
        se_ratio=0.25,
        expand_ratio=6,
        identity_skip=False,
        activation="mish",
        norm=Norm("an", 4),
    )


def test_block_args_are_immutable():
    with pytest.raises(FrozenInstanceError):
        BlockArgs(16, 24).input_filters = 32  # type: ignore[misc]


def test_two_spellings_of_one_block_are_equal():
    assert BlockArgs(8, 8, [3], 2) == BlockArgs(8, 8, 3, (2, 2)) == BlockArgs(8, 8, (3,), [2, 2])
    assert BlockArgs(8, 8, [3, 5]) == BlockArgs(8, 8, (3, 5))
    assert BlockArgs(8, 8, se_ratio=0) == BlockArgs(8, 8, se_ratio=None)


@pytest.mark.parametrize(
    ("input_filters", "se_ratio", "se_filters"),
    [(32, 0.25, 8), (6, 0.25, 1), (3, 0.25, 1), (120, 0.5, 60), (32, None, 0)],
)
def test_squeeze_excite_filters_follow_the_input_filters_and_are_at_least_one(input_filters, se_ratio, se_filters):
    assert BlockArgs(input_filters, 8, se_ratio=se_ratio, expand_ratio=6).se_filters == se_filters


def test_the_input_is_added_only_if_shapes_are_equal():
    block = BlockArgs(16, 16)
    assert block.has_skip
    assert not replace(block, strides=2).has_skip
    assert not replace(block, output_filters=24).has_skip
    assert not replace(block, identity_skip=False).has_skip


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("input_filters", 0),
        ("output_filters", 1.5),
        ("num_repeat", True),
        ("kernel_size", ()),
        ("kernel_size", (3, 0)),
        ("kernel_size", "3"),
        ("strides", (1, 2)),
        ("strides", 10),
        ("se_ratio", 1.5),
        ("se_ratio", -0.25),
        ("expand_ratio", 0),
        ("activation", "swoosh"),
        ("norm", "gn"),
        ("norm", {"kind": "an", "n_mixture": 0}),
        ("expand_groups", 0),
    ],
)
def test_a_wrong_value_is_named_with_its_field(wrong, value):
    with pytest.raises(ValueError, match=rf"BlockArgs\.{wrong}.*: .*give") as error:
        BlockArgs(**{"input_filters": 16, "output_filters": 16} | {wrong: value})
    assert "\n" not in str(error.value)
