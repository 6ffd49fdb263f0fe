"""A trained network for another task."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import EfficientNetBuilder, freeze, reset_classifier, unfreeze

BLOCKS = ["r1_k3_s11_e1_i8_o8_se0.5", "r2_k3_s22_e2_i8_o16_se0.25"]


def tiny(dropout_rate=0.2, **options):
    builder = EfficientNetBuilder(**{"input_shape": (16, 16, 3), "classes": 5} | options)
    return builder.custom_model(BLOCKS, dropout_rate=dropout_rate, stem_filters=8, head_filters=24)


def trainable(model):
    return {layer.name for layer in model.layers if layer.trainable and layer.weights}


def test_a_new_classifier_keeps_the_rest():
    model = tiny()
    other = reset_classifier(model, 3, classifier_activation=None)
    assert other.output_shape == (None, 3)
    assert other.get_layer("head_conv") is model.get_layer("head_conv")
    assert other.get_layer("predictions").get_weights()[0].shape == (24, 3)
    assert model.output_shape == (None, 5)
    assert other.get_layer("dropout").rate == 0.2


def test_a_given_dropout_rate_replaces_the_old_one():
    other = reset_classifier(tiny(), 3, dropout_rate=0.4)
    assert [layer.rate for layer in other.layers if isinstance(layer, keras.layers.Dropout)] == [0.4]


def test_a_classifier_is_added_to_an_embedding_but_not_to_a_map():
    assert reset_classifier(tiny(include_top=False), 3).output_shape == (None, 3)
    with pytest.raises(ValueError, match="ends in feature maps"):
        reset_classifier(tiny(include_top=False, pooling=None), 3)
    with pytest.raises(ValueError, match="ends in feature maps"):
        reset_classifier(tiny(features=True), 3)


def test_freeze_leaves_the_classifier_trainable():
    model = tiny()
    freeze(model)
    assert trainable(model) == {"predictions"}


def test_freeze_until_a_stage_keeps_every_norm_frozen():
    model = tiny()
    freeze(model, until="stage2_block2")
    convolutions = {
        f"stage2_block2_{step}" for step in ("expand_conv", "depthwise_conv", "squeeze_excite", "project_conv")
    }
    assert trainable(model) == convolutions | {"head_conv", "predictions"}
    with pytest.raises(ValueError, match="no layer's name starts with 'stage9'"):
        freeze(model, until="stage9")


def test_unfreeze_includes_norms_only_if_asked():
    model = tiny()
    everything = trainable(model)
    freeze(model)
    unfreeze(model)
    assert trainable(model) == {name for name in everything if not name.endswith("_norm")}
    unfreeze(model, normalizations=True)
    assert trainable(model) == everything


@pytest.mark.parametrize("norm", ["an", "iebn"])
def test_an_and_iebn_train_with_their_block_but_keep_their_statistics_unless_asked(norm):
    model = tiny(norm=norm)
    image = np.random.default_rng(0).random((4, 16, 16, 3), "float32")

    def moves(layer):
        before = [np.array(one) for one in (layer.moving_mean, layer.moving_variance)]
        model(image, training=True)
        return not all(map(np.array_equal, before, (layer.moving_mean, layer.moving_variance)))

    first, last = (model.get_layer(f"{name}_norm") for name in ("stage1_block1_depthwise", "head"))
    for normalizations in (False, True):
        freeze(model, "stage2", normalizations)
        assert (first.trainable, last.trainable) == (False, True)
        assert (moves(first), moves(last)) == (False, normalizations)
        unfreeze(model, normalizations)
        assert first.trainable
        assert moves(first) is normalizations
    unfreeze(model)
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(last)).frozen_statistics


@pytest.mark.parametrize("norm", ["bn", "an", "iebn"])
def test_frozen_norms_are_in_inference_mode_during_training(norm):
    model = tiny(dropout_rate=0.0, drop_connect_rate=0.0, norm=norm)
    freeze(model)
    image = np.random.default_rng(0).random((4, 16, 16, 3), "float32")
    before = [norm.get_weights() for norm in model.layers if norm.name.endswith("_norm")]
    np.testing.assert_allclose(model(image, training=True), model(image, training=False), rtol=1e-5)
    after = [norm.get_weights() for norm in model.layers if norm.name.endswith("_norm")]
    for one, other in zip(before, after, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)
