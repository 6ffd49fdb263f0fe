"""Files that Keras saved load by layer name, and every mismatch is reported."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import EfficientNetB0, EfficientNetBuilder, load_saved_weights
from efficientmixnet.modules.network.weights.pretrained import load_pretrained

BLOCKS = ["r1_k3_s11_e1_i8_o8_se0.5", "r2_k3.5_s22_e2_i8_o16_se0.25"]


def tiny(blocks=BLOCKS, channels=3, **options):
    builder = EfficientNetBuilder((16, 16, channels), **{"classes": 5} | options)
    return builder.custom_model(blocks, stem_filters=8, head_filters=24)


def randomized(model):
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.5, 1.5, value.shape) for value in model.get_weights()])
    return model


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
@pytest.mark.parametrize("norm", ["bn", "an", "iebn"])
def test_a_loaded_model_gives_the_saved_outputs(tmp_path, ending, norm):
    saved = randomized(tiny(norm=norm))
    path = tmp_path / f"tiny{ending}"
    saved.save(path) if ending == ".keras" else saved.save_weights(path)
    loaded = tiny(norm=norm, weights=str(path))
    image = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    np.testing.assert_array_equal(loaded(image), saved(image))


def test_other_channels_and_a_missing_classifier_are_supported(tmp_path):
    saved = randomized(tiny())
    saved.save_weights(tmp_path / "tiny.weights.h5")
    gray = load_saved_weights(tiny(channels=1, include_top=False), tmp_path / "tiny.weights.h5")
    colors = saved.get_layer("stem_conv").get_weights()[0]
    np.testing.assert_allclose(gray.get_layer("stem_conv").get_weights()[0], colors.sum(2, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"classes": 7}, r"'predictions'.*\(24, 7\).*\(24, 5\).*5 classes in the source"),
        (
            {"blocks": [BLOCKS[0], BLOCKS[1].replace("3.5", "3")]},
            r"stage2_block1_depthwise_conv.*\(3, 3, 16, 1\).*other kernel sizes",
        ),
        ({"blocks": BLOCKS[:1]}, r"'head_conv'.*\(1, 1, 8, 24\).*\(1, 1, 16, 24\).*another variant"),
        ({"blocks": [*BLOCKS, BLOCKS[0].replace("8", "16")]}, r"'stage2_block3_depthwise_conv'.*has no"),
    ],
)
def test_a_file_of_another_network_is_refused(tmp_path, options, complaint):
    randomized(tiny()).save_weights(tmp_path / "tiny.weights.h5")
    with pytest.raises(ValueError, match=complaint):
        tiny(weights=tmp_path / "tiny.weights.h5", **options)


@pytest.mark.parametrize("norm", ["an", "iebn"])
def test_weights_of_another_norm_do_not_start_a_network_with_batch_normalization(tmp_path, norm):
    randomized(tiny(norm=norm)).save_weights(tmp_path / "tiny.weights.h5")
    model = tiny()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"'stem_norm'.*another norm; give the norm of the weights"):
        load_saved_weights(model, tmp_path / "tiny.weights.h5")
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_unknown_suffix_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"give None, 'imagenet', or a path that ends with \.weights\.h5"):
        load_pretrained(tiny(), tmp_path / "tiny.pth", "EfficientNetB0")
    with pytest.raises(ValueError, match="there is no such file"):
        load_pretrained(tiny(), tmp_path / "tiny.keras", "EfficientNetB0")


def test_a_file_that_holds_no_weights_is_named(tmp_path):
    for name in ("notes.h5", "notes.keras", "notes.weights.h5"):
        (tmp_path / name).write_text("no weights")
        with pytest.raises(ValueError, match=rf"{name}': this is not a file of Keras weights, or it is damaged"):
            load_saved_weights(tiny(), tmp_path / name)


def test_foreign_names_are_listed_beside_ours(tmp_path):
    foreign = keras.Sequential(
        [keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 3, name="conv1"), keras.layers.Flatten()]
    )
    foreign.save_weights(tmp_path / "foreign.weights.h5")
    with pytest.raises(ValueError, match=r"the model expects stem_conv.*, and the source has conv1"):
        load_saved_weights(tiny(), tmp_path / "foreign.weights.h5")


# B0 has 49 convolutions with a norm each, 16 squeeze-excites and the classifier.
def test_foreign_names_are_listed_though_both_call_their_classifier_predictions(tmp_path):
    keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3)).save_weights(tmp_path / "m.weights.h5")
    message = r"only 1 of the 115 layers; the model expects stem_conv/kernel, .*, and the source has Conv1, Conv_1, "
    with pytest.raises(ValueError, match=message):
        EfficientNetB0(input_shape=(32, 32, 3), weights=tmp_path / "m.weights.h5")


@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".keras"])
def test_every_format_of_keras_applications_loads(tmp_path, ending):
    theirs = keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=2)
    path = tmp_path / f"theirs{ending}"
    theirs.save_weights(path) if ending == ".weights.h5" else theirs.save(path)
    ours = EfficientNetB0(input_shape=(32, 32, 3), classes=2, weights=path)
    for our_name, their_name in (("stem_norm", "stem_bn"), ("stage7_block1_project_conv", "block7a_project_conv")):
        for one, other in zip(
            ours.get_layer(our_name).get_weights(), theirs.get_layer(their_name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, other)
