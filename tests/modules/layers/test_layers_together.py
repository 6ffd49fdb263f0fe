"""All the layers in one model: trained, saved, exported; with channels first, in half precision, on a batch of one."""

from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import (
    AttentiveNormalization,
    DropConnect,
    GroupedPointwiseConv2D,
    Mish,
    MixedDepthwiseConv2D,
    SqueezeExcite,
    Swish,
    normalization,
)


def stack(data_format: str = "channels_last") -> keras.Model:
    """(batch, ?, ?, 5) -> (batch, ? / 2, ? / 2, 8), or channels first."""
    axis = -1 if data_format == "channels_last" else 1
    inputs = keras.Input((None, None, 5) if axis == -1 else (5, None, None))
    x = inputs
    for layer in (
        MixedDepthwiseConv2D([3, 5, 7], 2, data_format=data_format),
        normalization("bn", data_format=data_format),
        Swish(),
        GroupedPointwiseConv2D(8, 2, use_bias=True, data_format=data_format),
        SqueezeExcite(0.5, input_filters=5, data_format=data_format),
        normalization("an", data_format=data_format),
        MixedDepthwiseConv2D(3, dilation_rate=2, use_bias=True, data_format=data_format),
        Mish(),
        AttentiveNormalization(form="hard_sigmoid", axis=axis),
        SqueezeExcite(kind="dense", data_format=data_format),
        normalization("iebn", data_format=data_format),
        DropConnect(0.5),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    model.compile("sgd", "mse", jit_compile=False)
    return model


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_trains_on_one_image_of_any_size_and_comes_back_from_a_file(
    data_format: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    model = stack(data_format)
    for height, width in ((9, 11), (6, 4)):
        image = rng.standard_normal((1, height, width, 5), "float32")
        target = np.zeros((1, -(-height // 2), -(-width // 2), 8), "float32")
        if data_format == "channels_first":
            image, target = np.moveaxis(image, -1, 1), np.moveaxis(target, -1, 1)
        before = model.get_weights()
        model.train_on_batch(image, target)
        assert all(np.isfinite(weight).all() for weight in model.get_weights())
        assert any(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(image), model(image))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_comes_close_to_single(policy: str, rng: np.random.Generator) -> None:
    images = rng.standard_normal((2, 9, 11, 5), "float32")
    single = stack()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        half = stack()
    finally:
        keras.config.set_dtype_policy(before)
    half.set_weights(single.get_weights())
    assert {variable.dtype for variable in half.trainable_variables} == {"float32"}
    outputs = np.asarray(half(images), "float32")
    np.testing.assert_allclose(outputs, single(images), atol=0.05)
    half.train_on_batch(images, np.zeros((2, 5, 6, 8), "float32"))
    assert all(np.isfinite(weight).all() for weight in half.get_weights())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
def test_the_exported_model_gives_the_same(tmp_path: Path, rng: np.random.Generator) -> None:
    import tensorflow as tf

    model = stack()
    images = rng.standard_normal((2, 9, 11, 5), "float32")
    model.train_on_batch(images, np.zeros((2, 5, 6, 8), "float32"))
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(images), model.predict(images, verbose=0), atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's XLA")
def test_compiled_by_xla_a_training_step_gives_the_same(rng: np.random.Generator) -> None:
    import tensorflow as tf

    model = stack()
    model.layers[-1].rate = 0  # XLA draws other random numbers
    images = tf.constant(rng.standard_normal((2, 8, 8, 5), "float32"))

    def step() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(images, training=True) ** 2)
        return tape.gradient(loss, [variable.value for variable in model.trainable_variables])

    for plain, compiled in zip(tf.function(step)(), tf.function(step, jit_compile=True)(), strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-2, atol=1e-4)
