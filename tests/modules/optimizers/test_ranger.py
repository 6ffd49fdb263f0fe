"""Ranger is RectifiedAdam and Lookahead together, under one flat configuration."""

import keras
import numpy as np
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, Ranger, RectifiedAdam

GRADIENTS = np.random.default_rng(6).standard_normal((30, 3)).astype("float32")


def numpy_of(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable.value))


def walk(optimizer: keras.optimizers.Optimizer) -> np.ndarray:
    """The path of the model's weights: [steps, 3]."""
    variable = keras.Variable([1.0, -2.0, 0.5], name="kernel")
    path = []
    for gradient in GRADIENTS:
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        path.append(numpy_of(variable))
    return np.array(path)


def test_ranger_is_lookahead_around_rectified_adam() -> None:
    settings = {"beta_2": 0.98, "weight_decay": 0.1, "clipnorm": 0.5}
    np.testing.assert_array_equal(
        walk(Ranger(0.05, sync_period=4, slow_step_size=0.6, **settings)),
        walk(Lookahead(RectifiedAdam(0.05, **settings), 4, 0.6)),
    )


def test_weight_decay_exclusions_reach_the_inner_optimizer() -> None:
    kernel, bias = keras.Variable([1.0], name="kernel"), keras.Variable([1.0], name="bias")
    optimizer = Ranger(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([ops.zeros(1), ops.zeros(1)], [kernel, bias])
    np.testing.assert_allclose([numpy_of(kernel)[0], numpy_of(bias)[0]], [0.95, 1.0], rtol=1e-6)


def test_configuration_survives_a_round_trip() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    ranger = Ranger(schedule, sync_period=3, slow_step_size=0.4, beta_1=0.8, clipnorm=1.0, name="mine")
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(ranger))
    assert type(restored) is Ranger
    assert restored.get_config() == ranger.get_config()
