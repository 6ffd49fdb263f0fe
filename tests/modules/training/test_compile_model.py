"""A compiled model uses the precision, the steps and the batches of the configuration."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.training_config import ScheduleConfig
from efficientmixnet.modules.distribution.distributed_model import DistributedModel
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.phases import Phase
from efficientmixnet.modules.training.precision import precision

IMAGES = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
LABELS = np.eye(2, dtype="float32")[np.arange(8) % 2]


def _compiled(kind: type[keras.Model] = keras.Model, steps_per_epoch: int = 2, **training: object) -> keras.Model:
    keras.utils.set_random_seed(0)
    values = {"optimizer": {"name": "sgd"}, "label_smoothing": 0.0, **training}
    config = ModelConfig.model_validate({"training": values}).training
    outputs = keras.layers.Dense(2, activation="softmax", dtype="float32")
    inputs = keras.Input((3,))
    model = kind(inputs, outputs(keras.layers.Dense(4)(inputs)))
    compile_model(model, config, Phase(range(3), 0.5, ScheduleConfig(name="constant")), steps_per_epoch)
    return model


def test_two_accumulated_batches_make_the_update_of_one_batch_of_twice_the_size() -> None:
    halves, whole = _compiled(accumulation_steps=2), _compiled()
    halves.fit(IMAGES, LABELS, batch_size=4, shuffle=False, verbose=0)
    whole.fit(IMAGES, LABELS, batch_size=8, shuffle=False, verbose=0)
    for one, other in zip(halves.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert int(halves.optimizer.iterations) == 1


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_under_a_strategy_accumulated_batches_make_the_update_of_the_whole_batch(policy: str) -> None:
    whole = _compiled()
    with precision(policy), tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        parts = _compiled(DistributedModel, accumulation_steps=4)
    expected = whole.fit(IMAGES, LABELS, batch_size=8, shuffle=False, verbose=0)
    history = parts.fit(IMAGES, LABELS, batch_size=8, shuffle=False, verbose=0)
    atol = {"float32": 1e-6, "mixed_float16": 2e-3}[policy]
    for one, other in zip(parts.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=atol)
    assert history.history["loss"] == pytest.approx(expected.history["loss"], abs=atol)
    assert history.history["accuracy"] == expected.history["accuracy"]
    assert parts.optimizer.iterations.numpy() == 1


def test_lookahead_counts_accumulated_batches_as_one_update() -> None:
    model = _compiled(
        accumulation_steps=2, optimizer={"name": "lookahead", "inner": "sgd", "sync_period": 2}, learning_rate=1.0
    )
    model.fit(IMAGES, LABELS, batch_size=2, shuffle=False, verbose=0)  # four steps are two updates
    slow = model.optimizer.variables[2:6]  # after its step count and learning rate
    for weight, of_lookahead in zip(model.trainable_weights, slow, strict=True):
        np.testing.assert_array_equal(weight.numpy(), of_lookahead.numpy())


@pytest.mark.parametrize(("most", "steps", "expected"), [(8, 90, 6), (8, 64, 8), (4, 7, 1), (10, 7, 7), (None, 64, 1)])
def test_steps_per_execution_divides_the_steps_of_the_epoch(most: int | None, steps: int, expected: int) -> None:
    assert _compiled(steps_per_epoch=steps, steps_per_execution=most).steps_per_execution == expected


def test_half_precision_scales_the_loss_of_lookahead_and_skips_a_step_that_overflows() -> None:
    with precision("mixed_float16"):
        model = _compiled(optimizer={"name": "lookahead", "inner": "sgd", "sync_period": 2})
    assert keras.config.dtype_policy().name == "float32"
    scaled = model.optimizer
    assert isinstance(scaled, keras.optimizers.LossScaleOptimizer)
    before = model.get_weights()
    model.fit(IMAGES * 1e30, LABELS, batch_size=8, verbose=0)  # too large for half precision
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    scale = float(scaled.dynamic_scale)
    assert scale == 2.0**14  # half of the initial scale
    model.fit(IMAGES, LABELS, batch_size=8, epochs=4, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert not np.array_equal(before[0], model.get_weights()[0])
