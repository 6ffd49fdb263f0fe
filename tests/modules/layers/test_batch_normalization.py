from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.layers import BatchNormalization, batch_normalization

ON_TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow alone can do it")


def pair(options: dict[str, Any], shape: tuple[int, ...]) -> tuple[BatchNormalization, keras.layers.BatchNormalization]:
    """Ours and Keras's, with equal random weights."""
    ours, theirs = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    source = np.random.default_rng(1)
    for layer in (ours, theirs):
        layer.build(shape)
    ours.set_weights([source.uniform(0.5, 2, weight.shape) for weight in theirs.weights])
    theirs.set_weights(ours.get_weights())
    return ours, theirs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (4, 5, 6, 7)),
        ({"momentum": 0.5, "epsilon": 0.1}, (2, 3, 3, 1)),
        ({"scale": False}, (4, 5, 6, 7)),
        ({"center": False}, (4, 5, 6, 7)),
        ({"scale": False, "center": False}, (4, 5, 6, 7)),
        ({"axis": 1}, (4, 7, 5, 6)),
        ({"axis": 3}, (4, 5, 6, 7)),
        ({"axis": 2}, (4, 5, 7, 6)),
        ({"epsilon": 1e-6}, (4, 5, 6, 7)),  # too small for cuDNN
        pytest.param({"synchronized": True}, (4, 5, 6, 7), marks=ON_TENSORFLOW),
        ({}, (1, 5, 6, 7)),
        ({}, (2, 1, 1, 3)),
        ({}, (1, 1, 1, 3)),  # one number a channel: the variance is 0, not 0 / 0
        ({}, (5, 4)),
        ({}, (2, 5, 4)),
    ],
)
def test_equals_keras(
    options: dict[str, Any], shape: tuple[int, ...], training: bool, gradients: Any, rng: np.random.Generator
) -> None:
    x = (3 * rng.standard_normal(shape) + 1).astype("float32")
    upstream = rng.standard_normal(shape, "float32")
    ours, theirs = pair(options, shape)
    np.testing.assert_allclose(ours(x, training=training), theirs(x, training=training), atol=2e-5)
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)
    (dx, weights), (expected_dx, expected_weights) = (
        gradients(layer, x, upstream, training=training) for layer in (ours, theirs)
    )
    np.testing.assert_allclose(dx, expected_dx, atol=1e-4)
    assert set(weights) == set(expected_weights)
    for name, expected in expected_weights.items():
        np.testing.assert_allclose(weights[name], expected, atol=1e-4)


def test_moving_statistics_after_three_steps_by_hand() -> None:
    layer = BatchNormalization(momentum=0.9)
    x = np.array([0.0, 4.0], "float32").reshape(2, 1, 1, 1)  # mean 2; variance 4, with Bessel's correction 8
    for _ in range(3):
        layer(x, training=True)
    # .9^3 = .729 of the initial value and .271 of the batch's
    np.testing.assert_allclose(layer.moving_mean, [0.542], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, [1.813], rtol=1e-6)


def test_masked_steps_are_ignored() -> None:
    layer = BatchNormalization(momentum=0.0)
    x = np.array([[[0.0, 1.0], [4.0, 3.0], [100.0, 100.0]]], "float32")
    layer(x, training=True, mask=np.array([[True, True, False]]))
    np.testing.assert_allclose(layer.moving_mean, [2, 2], rtol=1e-5)


def test_frozen_it_runs_in_inference_mode() -> None:
    layer = BatchNormalization(epsilon=0.21)
    layer.trainable = False
    x = np.full((2, 2, 2, 1), 11.0, "float32")
    np.testing.assert_allclose(layer(x, training=True), 10 * x / 11, rtol=1e-6)  # 11 / sqrt(1 + .21)
    np.testing.assert_array_equal(layer.moving_mean, [0])


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_statistics_in_float32(dtype: str) -> None:
    layer = BatchNormalization(momentum=0.0, dtype=dtype)
    # 30000^2 is far beyond float16.
    x = np.tile(np.array([-30000.0, 30000.0], "float32"), 64).reshape(2, 8, 8, 1)
    outputs = layer(x, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype.removeprefix("mixed_")
    assert {variable.dtype for variable in layer.variables} == {"float32"}
    np.testing.assert_allclose(np.abs(np.asarray(outputs, "float32")), 1, rtol=1e-2)
    np.testing.assert_allclose(layer.moving_variance, [9e8], rtol=1e-2)


def test_trains_with_undefined_height_and_width(rng: np.random.Generator) -> None:
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, BatchNormalization(momentum=0.0)(inputs))
    model.compile("sgd", "mse", jit_compile=False)
    x = rng.standard_normal((1, 5, 4, 3), "float32")
    model.fit(x, x, batch_size=1, verbose=0)
    np.testing.assert_allclose(model.layers[1].moving_variance, x.var(axis=(0, 1, 2)), rtol=1e-5)


@ON_TENSORFLOW
def test_results_are_equal_when_compiled_by_xla(rng: np.random.Generator) -> None:
    import tensorflow as tf

    x = tf.constant(rng.standard_normal((2, 3, 3, 4), "float32"))
    ours, theirs = pair({}, (2, 3, 3, 4))

    @tf.function(jit_compile=True)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = ours(x, training=True)
            loss = tf.reduce_sum(outputs**3)
        return outputs, tape.gradient(loss, x)

    outputs, gradient = step(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        expected = theirs(x, training=True)
        loss = tf.reduce_sum(expected**3)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(gradient, tape.gradient(loss, x), atol=1e-4)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-5)


@ON_TENSORFLOW
@pytest.mark.parametrize(("options", "fused"), [({}, True), ({"axis": 1}, True), ({"synchronized": True}, False)])
def test_images_use_the_fused_kernel_unless_statistics_are_synchronized(options: Any, fused: bool) -> None:
    import tensorflow as tf

    layer = BatchNormalization(**options)
    layer.build((2, 4, 4, 4))
    function = tf.function(lambda x: layer(x, training=True))
    graph = function.get_concrete_function(tf.TensorSpec((2, 4, 4, 4))).graph
    assert ("FusedBatchNormV3" in {operation.type for operation in graph.get_operations()}) == fused


@pytest.mark.parametrize(
    "options",
    [{}, {"axis": 1, "scale": False, "momentum": 0.5}, pytest.param({"synchronized": True}, marks=ON_TENSORFLOW)],
)
def test_saved_and_loaded_it_gives_identical_outputs(options: Any, reload: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 5, 5, 5), "float32")
    model, loaded = reload(BatchNormalization(**options), (5, 5, 5))
    np.testing.assert_array_equal(model(x), loaded(x))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_of_half_precision_work_as_kerass(dtype: str, training: bool, rng: np.random.Generator) -> None:
    x = rng.standard_normal((4, 5, 6, 7), "float32")
    ours, theirs = pair({"dtype": dtype}, x.shape)
    assert {variable.dtype for variable in ours.variables} == {dtype}
    outputs, expected = (np.asarray(ops.cast(layer(x, training=training), "float32")) for layer in (ours, theirs))
    np.testing.assert_array_equal(outputs, expected)


@ON_TENSORFLOW
def test_the_values_of_a_batch_are_counted_in_64_bits() -> None:
    """A batch of 2^31 values, as of 1,800 maps of 112 x 112 x 96, has a negative number of them in 32 bits."""
    import tensorflow as tf

    layer = BatchNormalization()
    layer.build((None, 4, 4, 4))
    function = tf.function(lambda x: layer(x, training=True))
    graph = function.get_concrete_function(tf.TensorSpec((None, 4, 4, 4))).graph
    assert {op.get_attr("out_type") for op in graph.get_operations() if op.type == "Size"} == {tf.int64}


@ON_TENSORFLOW
def test_a_frozen_layer_has_a_deterministic_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow's fused kernel refuses it on a GPU."""
    monkeypatch.setattr(batch_normalization, "_is_deterministic", lambda: True)
    ours, theirs = pair({}, (4, 5, 6, 7))
    ours.trainable = theirs.trainable = False
    fused: list[bool] = []
    monkeypatch.setattr(ours, "_fused", lambda inputs, training: fused.append(training) or inputs)
    x = np.random.default_rng(2).normal(size=(4, 5, 6, 7)).astype("float32")
    np.testing.assert_array_equal(ours(x, training=True), theirs(x, training=True))
    assert not fused
    ours(x, training=False)  # has no gradient
    assert fused == [False]
