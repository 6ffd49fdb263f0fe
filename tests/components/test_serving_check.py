"""The fresh process before a push: it agrees, it differs, or it cannot serve at all."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.components.serving_check.component import ask
from efficientmixnet.modules import features


class Exported(tf.Module):
    """A model whose signatures answer by brightness, and differ from its network by `error`."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self._error = tf.constant(error)

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 3], tf.uint8)])
    def classify_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        bright = tf.reduce_mean(tf.cast(inputs, tf.float32) / 255, [1, 2, 3])
        return tf.stack([bright, 1 - bright], axis=1)

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        return tf.constant(["bright", "dark"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def pictures(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = tf.map_fn(lambda one: tf.io.decode_png(one, 3), pictures, fn_output_signature=tf.uint8)
        probabilities = self.classify_inputs(tf.ensure_shape(inputs, [None, 4, 4, 3]))
        named = tf.gather(self.class_labels(), tf.argmax(probabilities, axis=1))
        return {"probabilities": probabilities + self._error, "labels": named}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {features.ENCODED: tf.io.FixedLenFeature([], tf.string)})
        return self.pictures(parsed[features.ENCODED])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {features.LABEL_ID: tf.zeros(tf.shape(examples), tf.int64)}


def save(folder, error: float, signatures: int = 3) -> str:
    model = Exported(error)
    named = {
        "serving_default": model.pictures,
        "serving_examples": model.examples,
        "transform_features": model.transform,
    }
    tf.saved_model.save(model, str(folder), signatures=dict(list(named.items())[:signatures]))
    return str(folder)


@pytest.fixture(scope="module")
def asked() -> list[tuple[bytes, np.ndarray, int]]:
    pictures = []
    for value in (10, 200):
        pixels = np.full((4, 4, 3), value, np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        example = tf.train.Example()
        example.features.feature[features.ENCODED].bytes_list.value.append(file.getvalue())
        pictures.append((example.SerializeToString(), pixels, 0))
    return pictures


def test_every_signature_answers_as_in_training(asked, tmp_path):
    answers = ask(save(tmp_path, 0.0), asked)
    assert answers == pytest.approx({"serving_default": 0, "serving_examples": 0, "transform_features": 0}, abs=1e-6)


def test_a_signature_that_differs_is_found_with_how_much(asked, tmp_path):
    answers = ask(save(tmp_path, 0.25), [(example, inputs, 1) for example, inputs, _ in asked])
    assert answers["serving_default"] == pytest.approx(0.25, abs=1e-6)
    assert answers["transform_features"] == 1


def test_a_model_without_a_signature_cannot_be_served(asked, tmp_path):
    with pytest.raises(RuntimeError, match="cannot serve the exported model: KeyError: 'transform_features'"):
        ask(save(tmp_path, 0.0, signatures=2), asked)
