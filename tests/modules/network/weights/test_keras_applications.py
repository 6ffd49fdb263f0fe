"""keras.applications' EfficientNets carried over give its outputs and gradients."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import (
    EfficientNetBuilder,
    load_keras_applications_weights,
    preprocess_input,
)
from efficientmixnet.modules.network.variants import get_variant
from efficientmixnet.modules.network.weights.keras_applications import load_arrays

RANDOM = np.random.default_rng(0)


def theirs(name: str, spread: float = 0.5, **options) -> keras.Model:
    """Their model with random weights; scales and variances of its norms are drawn from 1 - spread to 1 + spread."""
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, f"EfficientNet{name}")(weights=None, classifier_activation=None, **options)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape
            scale, variance = RANDOM.uniform(1 - spread, 1 + spread, (2, *n))
            shift, mean = 0.1 * RANDOM.normal(size=(2, *n))
            layer.set_weights([scale, shift, mean, variance])
    return model


def ours(name: str, **options) -> keras.Model:
    return EfficientNetBuilder(classifier_activation=None, **options).default_model(name)


@pytest.mark.parametrize("name", ["B0", "B1", *(pytest.param(f"B{i}", marks=pytest.mark.slow) for i in range(2, 8))])
def test_outputs_equal_those_of_keras_applications(name):
    size = get_variant(name).default_size
    image = RANDOM.random((1, size, size, 3), "float32")
    reference = theirs(name, spread=0.1)
    expected = keras.ops.convert_to_numpy(reference(image * 255))  # they divide by 255 themselves
    outputs = keras.ops.convert_to_numpy(load_keras_applications_weights(ours(name), reference)(image))
    np.testing.assert_allclose(outputs, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)


@pytest.fixture
def float64():
    compute_in("float64")
    yield
    compute_in("float32")


def compute_in(dtype: str) -> None:
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)  # Keras keeps the one that was asked for first


@pytest.mark.slow
@pytest.mark.parametrize("name", ["B6", "B7"])
def test_the_deepest_networks_agree_in_float64(name, float64):
    # With such norms logits reach thousands, and float32's rounding grows to a tenth of them: it takes float64 to see
    # that the networks are one. Their Rescaling rounds 1 / 255 to float32, so ours takes the pixels from behind it.
    size = get_variant(name).default_size
    reference = theirs(name, spread=0.5)
    (normalization,) = (layer for layer in reference.layers if isinstance(layer, keras.layers.Normalization))
    pixels = keras.Model(reference.input, normalization.output)
    image = RANDOM.random((1, size, size, 3)) * 255
    expected = keras.ops.convert_to_numpy(reference(image))
    outputs = load_keras_applications_weights(ours(name), reference)(pixels(image))
    assert expected.dtype == np.float64
    np.testing.assert_allclose(outputs, expected, atol=1e-9 * np.abs(expected).max(), rtol=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients are taken with TensorFlow's tape")
def test_gradients_equal_those_of_keras_applications():
    import tensorflow as tf

    image = tf.constant(RANDOM.random((2, 224, 224, 3), "float32"))
    weighting = tf.constant(RANDOM.normal(size=(2, 1000)).astype("float32"))
    reference = theirs("B0")
    model = load_keras_applications_weights(ours("B0"), reference)

    def gradients(network, pixels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(network(pixels) * weighting)
        return tape.gradient(loss, [weight.value for weight in network.trainable_weights])

    expected = gradients(reference, image * 255)
    found = gradients(model, image)
    # Their gradients, put in place of their weights, take the same way into our model as the weights did.
    for weight, gradient in zip(reference.trainable_weights, expected, strict=True):
        weight.assign(gradient)
    load_keras_applications_weights(model, reference)
    for weight, gradient in zip(model.trainable_weights, found, strict=True):
        scale = np.abs(weight.numpy()).max()
        np.testing.assert_allclose(gradient, weight.numpy(), atol=1e-4 * scale, rtol=0, err_msg=weight.path)


@pytest.fixture(scope="module")
def reference():
    """Their B0 for small images."""
    return theirs("B0", input_shape=(64, 64, 3))


def write_in_their_format(model: keras.Model, path: Path) -> None:
    """As efficientnetb0.h5 is laid out: a group for each layer with "layer/name:0", listed in weight_names."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value


def test_an_h5_file_loads_like_the_model(reference, tmp_path):
    path = tmp_path / "efficientnetb0.h5"
    write_in_their_format(reference, path)
    from_file = EfficientNetBuilder((64, 64, 3), weights=path).default_model("B0")
    from_model = load_keras_applications_weights(ours("B0", input_shape=(64, 64, 3)), reference)
    for one, other in zip(from_file.get_weights(), from_model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("include_top", "channels"), [(True, 3), (False, 1)])
def test_imagenet_weights_are_requested_for_the_right_model(monkeypatch, reference, include_top, channels):
    asked = []

    def downloading(**options):
        asked.append(options)
        return reference

    monkeypatch.setattr(keras.applications, "EfficientNetB0", downloading)
    model = EfficientNetBuilder((64, 64, channels), weights="imagenet", include_top=include_top).default_model("B0")
    assert asked == [{"weights": "imagenet", "include_top": include_top}]
    stem, their_stem = model.get_layer("stem_conv").get_weights()[0], reference.get_layer("stem_conv").get_weights()[0]
    expected = their_stem if channels == 3 else their_stem.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(stem, expected, rtol=1e-5, atol=1e-6)


def test_imagenets_file_gives_their_features_of_preprocessed_images(monkeypatch, tmp_path):
    """A file like the published one, where Keras looks for what it has downloaded, and with a hash that it checks."""
    from keras.src.applications import efficientnet

    options = {"include_top": False, "pooling": "avg"}
    published = theirs("B0", input_shape=(224, 224, 3), include_top=False, pooling="avg")
    (normalization,) = (layer for layer in published.layers if isinstance(layer, keras.layers.Normalization))
    # Their files keep the deviations as variances; their model divides by the root of each a second time.
    normalization.set_weights([np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)])
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "efficientnetb0_notop.h5"
    write_in_their_format(published, path)
    file_hash = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(efficientnet.WEIGHTS_HASHES, "b0", ("", file_hash))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))

    reference = keras.applications.EfficientNetB0(weights="imagenet", input_shape=(64, 64, 3), **options)
    model = EfficientNetBuilder((64, 64, 3), weights="imagenet", **options).default_model("B0")
    image = RANDOM.integers(0, 256, (2, 64, 64, 3)).astype("float32")
    expected = keras.ops.convert_to_numpy(reference(image))
    features = keras.ops.convert_to_numpy(model(preprocess_input(image)))
    np.testing.assert_allclose(features, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)


def test_weights_of_another_variant_are_refused(reference):
    options = {"input_shape": (64, 64, 3), "include_top": False}
    with pytest.raises(ValueError, match=r"stage1_block2_depthwise_conv.*no 'block1b_dwconv/kernel_0'"):
        load_keras_applications_weights(ours("B1", **options), reference)


def test_a_layer_of_theirs_with_more_weights_than_ours_is_refused(reference):
    arrays = {layer.name: layer.get_weights() for layer in reference.layers if layer.weights}
    arrays["stem_bn"] += arrays["stem_bn"][:2]  # as many as IEBN has
    with pytest.raises(ValueError, match=r"'stem_norm'.*another norm; give the norm of the weights"):
        load_arrays(ours("B0", input_shape=(64, 64, 3)), arrays)
