"""Under MirroredStrategy two devices with half of each batch learn what one device learns with all of it."""

import pytest
from fresh_process import output_of

# Logical devices can only be created before TensorFlow starts, so this runs in a new process.
PROGRAM = """
import keras
import numpy as np
import tensorflow as tf

from efficientmixnet.modules.optimizers import Lookahead, Ranger, RectifiedAdam, build_optimizer
from efficientmixnet.modules.optimizers.grouped import Grouped
from efficientmixnet.modules.training.averaged_evaluation import AveragedEvaluation

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
draw = np.random.default_rng(0)
inputs = draw.standard_normal((24, 4)).astype("float32")
targets = draw.standard_normal((24, 2)).astype("float32")
optimizers = {
    "radam": lambda: RectifiedAdam(0.05, weight_decay=0.1, amsgrad=True, total_steps=20),
    "ranger": lambda: Ranger(keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.5), sync_period=2),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(Lookahead(keras.optimizers.SGD(0.05, 0.9), 2), 8.0),
    "averaged": lambda: build_optimizer({"name": "ranger", "sync_period": 2}, 0.05, ema_momentum=0.9),
    "grouped": lambda: Grouped(
        [build_optimizer({"name": "sgd", "momentum": 0.9}, rate, ema_momentum=0.9) for rate in (0.01, 0.05)],
        {"body/kernel": 0},
    ),
    "muon": lambda: build_optimizer({"name": "muon", "exclude_layers": ["head"]}, 0.05),
    "convmuon": lambda: build_optimizer("convmuon", 0.05, ema_momentum=0.9),
}


def train(strategy, optimizer):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        x = keras.Input((4,))
        maps = keras.layers.Conv2D(3, 1, name="first")(keras.layers.Reshape((2, 1, 2))(x))
        body = keras.layers.Dense(3, "tanh", name="body")(keras.layers.Flatten()(maps))
        model = keras.Model(x, keras.layers.Dense(2, name="head")(body))
        model.compile(optimizer(), "mse")
    history = model.fit(
        inputs,
        targets,
        batch_size=8,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(inputs, targets),
        validation_batch_size=24,
        callbacks=[AveragedEvaluation()],
    )
    return model, history.history["val_loss"]


two_devices = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name, optimizer in optimizers.items():
    one, losses = train(tf.distribute.get_strategy(), optimizer)
    two, losses_of_two = train(two_devices, optimizer)
    np.testing.assert_allclose(losses_of_two, losses, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(two.evaluate(inputs, targets, batch_size=24, verbose=0), losses[-1], rtol=1e-5)
    for expected, got in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), atol=2e-6, err_msg=name)
        copies = [copy.numpy() for copy in got.value.values]
        assert len(copies) == 2
        np.testing.assert_array_equal(copies[0], copies[1], err_msg=name)
    for expected, got in zip(one.optimizer.variables, two.optimizer.variables, strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), atol=2e-6, err_msg=name + " " + got.path)
    print("same", name)
"""


@pytest.mark.slow
def test_two_devices_learn_the_same_as_one() -> None:
    pytest.importorskip("tensorflow")
    names = ("radam", "ranger", "scaled", "averaged", "grouped", "muon", "convmuon")
    assert output_of(PROGRAM).split("same ")[1:] == [f"{name}\n" for name in names]
