"""Weights are checked as a whole before any is assigned."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network.weights.transfer import Transfer, fit_input_channels, transfer_weights

KERNEL = np.arange(12, dtype="float32").reshape(1, 1, 3, 4)  # (height, width, in, out)


def test_for_one_channel_the_kernel_is_summed():
    np.testing.assert_array_equal(fit_input_channels(KERNEL, 1), [[[[12, 15, 18, 21]]]])


def test_for_more_channels_the_kernel_is_repeated_and_scaled():
    # timm's adapt_input_conv: repeat, cut, times 3 / channels.
    fitted = fit_input_channels(KERNEL, 5)
    np.testing.assert_allclose(fitted[0, 0, :, 0], np.array([0, 4, 8, 0, 4]) * 3 / 5)
    np.testing.assert_allclose(fit_input_channels(KERNEL, 2)[0, 0, :, 0], np.array([0, 4]) * 3 / 2)
    np.testing.assert_array_equal(fit_input_channels(KERNEL, 3), KERNEL)


def transfer(layer: str, expected: tuple[int, ...], found: tuple[int, ...] | None) -> Transfer:
    variable = keras.Variable(np.zeros(expected, "float32"), name="kernel")
    return Transfer(layer, variable, "theirs", None if found is None else np.ones(found, "float32"))


@pytest.mark.parametrize(
    ("layer", "expected", "found", "cause"),
    [
        ("predictions", (8, 10), (8, 1000), "1000 classes in the source"),
        ("predictions", (8, 10), (6, 10), "another pooling, embedding width or variant"),
        ("predictions", (8, 10), None, "weights without a classifier"),
        ("stage1_block1_expand_norm", (5, 8), (8,), "another norm; give the norm"),
        ("stage1_block1_expand_norm", (8,), (16,), "another variant or width"),
        ("stage1_block1_depthwise_conv", (3, 3, 8, 1), (5, 5, 8, 1), "other kernel sizes; mixed"),
        ("stage1_block1_squeeze_excite", (1, 1, 8, 2), (1, 1, 8, 4), "another se_ratio"),
        ("head_conv", (1, 1, 8, 16), (1, 1, 8, 24), "another variant, width or depth"),
    ],
)
def test_a_mismatch_names_the_layer_the_shapes_and_the_likely_cause(layer, expected, found, cause):
    with pytest.raises(ValueError, match=f"layer '{layer}'.*likely cause: .*{cause}") as error:
        transfer_weights([transfer(layer, expected, found)])
    assert str(expected) in str(error.value)
    assert found is None or str(found) in str(error.value)


def test_no_weight_changes_if_one_does_not_fit():
    good, bad = transfer("head_conv", (2, 2), (2, 2)), transfer("predictions", (8, 10), (8, 9))
    with pytest.raises(ValueError, match="predictions"):
        transfer_weights([good, bad])
    with pytest.raises(ValueError, match=r"no place for 'blocks\.9\.0\.conv_pw\.weight' and 0 more"):
        transfer_weights([good], unused=["blocks.9.0.conv_pw.weight"])
    np.testing.assert_array_equal(good.variable.numpy(), np.zeros((2, 2)))
    transfer_weights([good])
    np.testing.assert_array_equal(good.variable.numpy(), np.ones((2, 2)))


def test_both_sides_are_listed_if_fewer_than_half_of_the_layers_have_a_name_in_the_source():
    three = [transfer(f"stage1_block{number}_project_conv", (2, 2), None) for number in (1, 2, 3)]
    found = [transfer("predictions", (2, 2), (2, 2)), transfer("stem_norm", (2, 2), (2, 2))]
    with pytest.raises(ValueError, match=r"only 2 of the 5 layers; .* and the source has Conv1, conv2, "):
        transfer_weights(three + found, unused=["conv2", "Conv1"])
    with pytest.raises(ValueError, match=r"layer 'stage1_block1_project_conv'.*likely cause: another variant"):
        transfer_weights(three[:2] + found, unused=["conv2", "Conv1"])
    with pytest.raises(ValueError, match=r"layer 'stage1_block1_project_conv'.*likely cause: another variant"):
        transfer_weights(three + found)
