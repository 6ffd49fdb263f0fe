"""The user's Keras settings do not change the pipeline."""

import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.keras_settings import use_default_formats, use_tensorflow
from efficientmixnet.modules.training.build_model import build_model


def test_the_backend_is_tensorflow_in_spite_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    use_tensorflow()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize(
    ("machine", "given", "expected"),
    [("x86_64", None, "1"), ("x86_64", "0", "0"), ("AMD64", None, "1"), ("aarch64", None, None)],
)
def test_tensorflow_uses_onednn_on_all_x86_processors_unless_the_user_decides(
    monkeypatch: pytest.MonkeyPatch, machine: str, given: str | None, expected: str | None
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    if given:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
    use_tensorflow()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == expected


def test_keras_on_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    on_torch = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", on_torch)
    with pytest.raises(BadInput, match="set KERAS_BACKEND=tensorflow before Keras is imported"):
        use_tensorflow()


@pytest.fixture
def channels_first() -> Iterator[None]:
    """Settings as in a keras.json of another project."""
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("float16")
    yield
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def test_networks_are_channels_last_and_float32(channels_first: None) -> None:
    use_default_formats()
    config = NetworkConfig(variant="custom", blocks=("r1_k3_s11_e1_i8_o8",), stem_filters=8, head_filters=16)
    model = build_model(config, 8, 2, steps_per_epoch=10, mean=[0.5] * 3, deviation=[0.25] * 3)
    assert model.input_shape == (None, 8, 8, 3)
    assert {weight.dtype for weight in model.weights if weight.trainable} == {"float32"}


@pytest.fixture
def limited() -> Iterator[None]:
    """Settings as by KERAS_MAX_EPOCHS and KERAS_MAX_STEPS_PER_EPOCH."""
    keras.config.set_max_epochs(1)
    keras.config.set_max_steps_per_epoch(2)
    yield
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


def test_no_limit_of_the_user_shortens_a_training(limited: None) -> None:
    use_default_formats()
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    steps: list[int] = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    model.fit(np.zeros((6, 1)), np.zeros((6, 1)), batch_size=2, epochs=3, verbose=0, callbacks=[count])
    assert steps == [0, 1, 2] * 3
