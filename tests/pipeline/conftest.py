"""A pushed model whose predictions can be computed by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from efficientmixnet.modules.exported_model import LABELS


class Brightness(tf.Module):
    """A model whose embedding is the mean of each color, and whose probability of the first class is their mean."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        super().__init__()
        self._labels = labels

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        return tf.constant(self._labels)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embeddings(self, images: tf.Tensor) -> tf.Tensor:
        def mean(one: tf.Tensor) -> tf.Tensor:
            pixels = tf.io.decode_image(one, 3, dtype=tf.uint8, expand_animations=False)
            return tf.reduce_mean(tf.cast(pixels, tf.float32) / 255, axis=[0, 1])

        return tf.map_fn(mean, images, fn_output_signature=tf.TensorSpec([3], tf.float32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        bright = tf.reduce_mean(self.embeddings(images), axis=1)
        return {"probabilities": tf.stack([bright, 1 - bright], axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)])
    def class_activations(self, images: tf.Tensor, class_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        def seen(one: tf.Tensor) -> tf.Tensor:
            return tf.image.resize(tf.io.decode_image(one, 3, expand_animations=False), [8, 8])

        inputs = tf.map_fn(seen, images, fn_output_signature=tf.TensorSpec([8, 8, 3], tf.float32))
        bright = inputs[..., 0] / 255
        return {
            "inputs": tf.cast(inputs, tf.uint8),
            "activations": tf.where(class_ids[:, None, None] == 0, bright, 1 - bright),
        }


@pytest.fixture(scope="session")
def push_brightness() -> Callable[..., None]:
    """Writes the model to a folder, with these labels."""

    def push(folder: Path, *labels: str) -> None:
        module = Brightness(labels)
        tf.saved_model.save(module, str(folder), signatures={"serving_default": module.classify})
        (folder / LABELS).parent.mkdir()
        (folder / LABELS).write_text(json.dumps(labels))

    return push


class Reader(tf.Module):
    """A model that finds every image bright."""

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        return tf.constant(["bright"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": tf.ones([tf.shape(images)[0], 1])}


@pytest.fixture(scope="session")
def push_reader() -> Callable[[Path, tf.DType], None]:
    """Writes the model to a folder, with a network that takes pixels of this type."""

    def push(folder: Path, pixels: tf.DType) -> None:
        module = Reader()
        network = tf.function(lambda inputs: tf.reduce_mean(tf.cast(inputs, tf.float32)))
        module.classify_inputs = network.get_concrete_function(tf.TensorSpec([None, 8, 8, 3], pixels))
        tf.saved_model.save(module, str(folder), signatures={"serving_default": module.classify})
        (folder / LABELS).parent.mkdir()
        (folder / LABELS).write_text(json.dumps(["bright"]))

    return push
