from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.layers import Mish


def test_numbers_by_hand() -> None:
    # softplus(1) = log(1 + e) = 1.3132617, tanh of it .8650984; for large x it is x, for small ones x e^x
    outputs = Mish()(np.array([-20.0, 0.0, 1.0, 100.0], "float32"))
    np.testing.assert_allclose(outputs, [-4.1223072e-08, 0, 0.8650984, 100], rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_by_hand(training: bool, gradients: Any) -> None:
    # tanh + x sigmoid (1 - tanh^2): at 0 tanh(log 2) = 3/5, at 1 that is .8650984 + .7310586 (1 - .8650984^2)
    x = np.array([[-100.0, 0.0, 1.0, 100.0]], "float32")
    inputs, _ = gradients(Mish(), x, np.full_like(x, 2), training=training)
    np.testing.assert_allclose(inputs, [[0, 1.2, 2.0980723, 2]], rtol=1e-6, atol=1e-7)


def test_training_gives_the_same_numbers(rng: np.random.Generator) -> None:
    x = 5 * rng.standard_normal((10, 10), "float32")
    np.testing.assert_allclose(Mish()(x, training=True), Mish()(x), rtol=1e-5)


def test_saved_and_loaded_it_gives_identical_outputs(reload: Any, rng: np.random.Generator) -> None:
    model, loaded = reload(Mish(), (None, None, 3))
    x = rng.standard_normal((1, 2, 2, 3), "float32")
    np.testing.assert_array_equal(model(x), loaded(x))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow quantizes")
def test_quantized_to_8_bits_it_stays_within_a_step(tmp_path: Path) -> None:
    """The largest error is about one step of the input's scale, 16 / 255, and half a step of the output's."""
    x = np.linspace(-8, 8, 1024, dtype="float32")
    keras.Sequential([keras.Input((1024,)), Mish()]).export(tmp_path, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: [[x[None]]]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x[None])
    interpreter.invoke()
    outputs = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    np.testing.assert_allclose(outputs, x * np.tanh(np.log1p(np.exp(x))), atol=0.1)
