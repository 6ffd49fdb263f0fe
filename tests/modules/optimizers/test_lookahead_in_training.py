"""Lookahead where Keras uses it: fit, callbacks, mixed precision, memory, weights and configurations."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, RectifiedAdam

ON_JAX = keras.backend.backend() == "jax"


def numpy_of(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable.value))


def small_model() -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)])


def small_data() -> tuple[np.ndarray, np.ndarray]:
    inputs = np.random.default_rng(7).standard_normal((32, 4)).astype("float32")
    return inputs, inputs[:, :2] - inputs[:, 2:]


def fitted(optimizer: Any, **compiled: Any) -> keras.Model:
    model = small_model()
    model.compile(optimizer, "mse", **compiled)
    model.fit(*small_data(), batch_size=8, epochs=3, shuffle=False, verbose=0)
    return model


def test_callbacks_change_the_inner_learning_rate() -> None:
    model = small_model()
    model.compile(Lookahead(keras.optimizers.SGD(0.1)), "mse")
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(*small_data(), batch_size=8, epochs=3, verbose=0, callbacks=[halve])
    assert float(ops.convert_to_numpy(model.optimizer.inner_optimizer.learning_rate)) == pytest.approx(0.1 / 8)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles always, PyTorch has no XLA")
def test_training_is_equal_when_compiled_by_xla() -> None:
    plain, compiled = (fitted(Lookahead(RectifiedAdam(0.05), 5), jit_compile=xla) for xla in (False, True))
    for one, other in zip(plain.get_weights(), compiled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_averaged_weights_can_be_swapped_in_for_validation() -> None:
    model = small_model()
    model.compile(Lookahead(keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5)), "mse")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    history = model.fit(*small_data(), batch_size=8, epochs=4, verbose=0, callbacks=[swap]).history
    assert history["loss"][-1] < history["loss"][0]


def test_loss_scaling_does_not_change_the_weights() -> None:
    plain = fitted(Lookahead(keras.optimizers.Adam(0.01), 5))
    scaled = fitted(keras.optimizers.LossScaleOptimizer(Lookahead(keras.optimizers.Adam(0.01), 5), 2.0**6))
    for one, other in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_loss_scale_is_switched_off_inside_a_loss_scale_optimizer() -> None:
    inner = keras.optimizers.Adam(loss_scale_factor=8.0)
    assert float(Lookahead(inner).scale_loss(2.0)) == 16.0
    keras.optimizers.LossScaleOptimizer(Lookahead(inner))
    assert inner.loss_scale_factor is None


def test_a_step_with_overflowing_gradients_is_skipped() -> None:
    optimizer = keras.optimizers.LossScaleOptimizer(Lookahead(keras.optimizers.SGD(1.0), 2), initial_scale=2.0)
    variable = keras.Variable([0.0])
    optimizer.build([variable])
    values = [variable.value]
    state = [v.value for v in optimizer.variables]
    for gradient in (2.0, np.inf, 2.0):
        gradients = [ops.convert_to_tensor([np.float32(gradient)])]
        if ON_JAX:
            values, state = optimizer.stateless_apply(state, gradients, values)
        else:
            optimizer.apply(gradients, [variable])
            values = [variable.value]
    # The scale is 2, then 1: steps of 1 and of 2, and half of the way back after two updates.
    np.testing.assert_array_equal(ops.convert_to_numpy(values[0]), -1.5)


def test_trains_in_mixed_precision() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, untrained = fitted(Lookahead(RectifiedAdam(0.05))), small_model()
    finally:
        keras.config.set_dtype_policy("float32")
    untrained.compile(loss="mse")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.evaluate(*small_data(), verbose=0) < 0.8 * untrained.evaluate(*small_data(), verbose=0)


def size(variables: list) -> int:
    """Bytes."""
    return sum(int(np.prod(variable.shape)) * np.dtype(variable.dtype).itemsize for variable in variables)


@pytest.mark.parametrize("inner", [keras.optimizers.SGD, keras.optimizers.Adam, RectifiedAdam])
def test_lookahead_adds_one_copy_of_the_weights(inner: Callable) -> None:
    weights = small_model().trainable_variables
    alone, around = inner(), Lookahead(inner())
    alone.build(weights)
    around.build(weights)
    counters = [around._iterations, around._learning_rate]  # Keras gives every optimizer its own
    assert size(around.variables) == size(alone.variables) + size(weights) + size(counters)


def test_optimizer_weights_can_be_read_and_set() -> None:
    one, other = Lookahead(keras.optimizers.Adam(0.1)), Lookahead(keras.optimizers.Adam(0.1))
    variable = keras.Variable([1.0, -2.0])
    for _ in range(8):
        one.apply([ops.convert_to_tensor([0.5, 2.0])], [variable])
    other.build([variable])
    other.set_weights([numpy_of(v) for v in one.variables])
    for mine, theirs in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(numpy_of(mine), numpy_of(theirs))


def test_configuration_survives_a_round_trip() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    optimizers = (
        Lookahead(RectifiedAdam(schedule, beta_1=0.8, weight_decay=0.01), 5, 0.8, name="mine"),
        Lookahead(Lookahead(keras.optimizers.SGD(0.1, momentum=0.9), 2), 4),
    )
    for optimizer in optimizers:
        restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
        assert type(restored) is type(optimizer)
        assert restored.get_config() == optimizer.get_config()


def test_the_inner_optimizer_can_be_a_name_or_a_configuration() -> None:
    assert isinstance(Lookahead("sgd").inner_optimizer, keras.optimizers.SGD)
    config = keras.optimizers.serialize(keras.optimizers.Adam(beta_1=0.8))
    assert Lookahead(config).inner_optimizer.beta_1 == 0.8


@pytest.mark.parametrize("given", ["RAdam", {"name": "radam", "beta_2": 0.99}])
def test_the_inner_optimizer_is_written_as_in_a_configuration(given: Any) -> None:
    inner = Lookahead(given).inner_optimizer
    assert isinstance(inner, RectifiedAdam)
    assert numpy_of(inner.learning_rate) == numpy_of(RectifiedAdam().learning_rate)
    assert inner.beta_2 == (0.999 if given == "RAdam" else 0.99)


def test_an_unknown_inner_optimizer_is_named() -> None:
    with pytest.raises(ValueError, match="there is no optimizer 'radm'; did you mean 'radam'"):
        Lookahead("radm")


def test_loss_scaling_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="LossScaleOptimizer goes around it"):
        Lookahead(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()))


def test_weights_that_are_set_between_two_fits_count() -> None:
    """With a learning rate of almost 0, they stay where they were set."""
    model = small_model()
    model.compile(Lookahead(keras.optimizers.Adam(0.1), sync_period=5), "mse")
    before = model.get_weights()
    model.fit(*small_data(), epochs=6, verbose=0)
    model.set_weights(before)
    model.optimizer.learning_rate = 1e-12
    model.fit(*small_data(), epochs=4, verbose=0)
    for expected, weight in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)


def test_a_training_without_a_synchronization_is_reported() -> None:
    model = small_model()
    model.compile(Lookahead("radam", sync_period=100), "mse")
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"ended after 4 steps without a synchronization \(sync_period=100\)"):
            model.fit(*small_data(), batch_size=8, epochs=1, verbose=0)
    assert isinstance(model.optimizer.inner_optimizer, RectifiedAdam)
