"""Fine-tuning with AN and IEBN on two devices learns what it learns on one, with averages and layer decay."""

import pytest
from fresh_process import output_of

# Logical devices can only be created before TensorFlow starts, so this runs in a new process.
PROGRAM = """
import keras
import numpy as np
import tensorflow as tf

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.distribution.distribution import Distribution
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.phases import phases

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
draw = np.random.default_rng(0)
images, labels = draw.random((32, 16, 16, 3), "float32"), np.eye(2, dtype="float32")[draw.integers(0, 2, 32)]
tuning = {"head_epochs": 1, "layer_decay": 0.5, "learning_rate_fraction": 1.0}
training = {"optimizer": "sgd", "epochs": 3, "fine_tuning": tuning, "ema": 0.9, "label_smoothing": 0.0}
config = ModelConfig.model_validate({"network": {"weights": "imagenet"}, "training": training})


def train(strategy, norm):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        builder = EfficientNetBuilder((16, 16, 3), classes=2, drop_connect_rate=0.0, norm=norm)
        network = builder.custom_model(["r1_k3_s22_e2_i8_o8"], stem_filters=8, head_filters=16, dropout_rate=0.0)
        model = Distribution(strategy, "").model(network)
        for phase in phases(config, 0.1):
            compile_model(model, config.training, phase, steps_per_epoch=4)
            model.fit(images, labels, batch_size=8, epochs=len(phase.epochs), shuffle=False, verbose=0)
    return model


two_devices = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for norm, gate in {"an": "attention_kernel", "iebn": "gate_weight"}.items():
    one, two = train(tf.distribute.get_strategy(), norm), train(two_devices, norm)
    for expected, got in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), atol=2e-5, err_msg=f"{norm} {got.path}")
        assert not got.path.endswith(gate) or np.abs(got.numpy()).max() > 0, got.path  # which starts with zeros
    print("same", norm)
"""


@pytest.mark.slow
def test_two_devices_learn_the_same_as_one() -> None:
    assert output_of(PROGRAM).split() == ["same", "an", "same", "iebn"]
