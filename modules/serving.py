"""The exported model: three signatures around one network and one Transform graph.

What an image goes through here is what it went through on its way to training: the Transform graph (shrunk, encoded)
and then the evaluation input (decoded, cropped), so its probabilities are the same.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from efficientmixnet.modules import features
from efficientmixnet.modules.data.batches import Reading, evaluation_input

_SMALL = 2**12  # numbers


class ServingModule(tf.Module):
    """An image classifier that needs nothing but TensorFlow to be loaded.

    It holds weights and traced functions alone: of a Keras model, or of functions that could be traced again, saving
    would make two or three copies of the whole graph, and loading would take as much longer. For the same reason small
    weights, most of them by number, are constants: of each variable loading makes some ten operations.
    """

    def __init__(
        self, model: keras.Model, transform_output: tft.TFTransformOutput, labels: Sequence[str], reading: Reading
    ) -> None:
        super().__init__()
        network = _with_maps(model)
        trained, moved = (
            [_constant_if_small(variable) for variable in variables]
            for variables in (network.trainable_variables, network.non_trainable_variables)
        )
        self._weights = [value for value in trained + moved if isinstance(value, tf.Variable)]
        self._kernel = model.get_layer("predictions").kernel.value  # [filters, classes]
        self._raw_spec = transform_output.raw_feature_spec()
        self._transform = tf.saved_model.load(transform_output.transform_savedmodel_dir)
        self._labels = tf.constant(list(labels))
        self._reading = reading

        strings = tf.TensorSpec([None], tf.string)
        images = tf.TensorSpec([None, reading.image_size, reading.image_size, 3], tf.uint8)
        # Probabilities [batch, classes] and the maps that they are read off; whichever is unused costs nothing.
        self._network = _traced(
            lambda inputs: tuple(network.stateless_call(trained, moved, inputs, training=False)[0]), images
        )
        self._inputs = _traced(self._inputs_of, strings)
        self.class_labels = _traced(lambda: self._labels)  # [classes], in the order of the probabilities
        self.classify_inputs = _traced(lambda inputs: self._network(inputs)[0], images)
        self.class_activations = _traced(self._class_activations, strings, tf.TensorSpec([None], tf.int64))
        self._classify = _traced(self._classify_images, strings)

    def save(self, folder: str) -> None:
        """Writes the SavedModel with its signatures."""
        strings = tf.TensorSpec([None], tf.string)
        signatures = {
            "serving_default": self._classify,
            "serving_examples": _traced(self._classify_examples, strings),
            "transform_features": _traced(self._transform_features, strings),
        }
        tf.saved_model.save(self, folder, signatures=signatures)

    def _classify_images(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Encoded images, bytes [batch] -> probabilities [batch, classes], class_ids [batch], labels [batch]."""
        probabilities = self.classify_inputs(self._inputs(images))
        class_ids = tf.argmax(probabilities, axis=-1)
        return {
            features.PROBABILITIES: probabilities,
            features.CLASS_IDS: class_ids,
            features.LABELS: tf.gather(self._labels, class_ids),
        }

    def _classify_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples [batch], of which only the encoded image is needed; as _classify_images."""
        spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}
        return self._classify(tf.io.parse_example(examples, spec)[features.ENCODED])

    def _transform_features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples [batch] -> transformed features (features.py), each [batch, ...]; for TFMA.

        Without the image, which TFMA has no use for: what makes it, a third of an evaluation's work, is left out.
        """
        transformed = self._transform.transform_fn(tf.io.parse_example(examples, self._raw_spec))
        return {name: value for name, value in transformed.items() if name != features.ENCODED}

    def _class_activations(self, images: tf.Tensor, class_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Where the network sees a class: encoded images [batch], class_ids [batch] -> inputs and activations.

        `inputs`, uint8 [batch, size, size, 3], is what the network sees; `activations`, float32 [batch, height, width],
        what each place of its last feature map adds to the class's logit, before the mean: Grad-CAM's map, which for a
        mean followed by a dense layer needs no gradient (Selvaraju et al., 2017, arXiv 1610.02391, section 3.1).
        """
        inputs = self._inputs(images)
        maps = tf.cast(self._network(inputs)[1], tf.float32)  # [batch, height, width, filters]
        weights = tf.gather(tf.cast(self._kernel, tf.float32), class_ids, axis=1)  # [filters, batch]
        return {"inputs": inputs, "activations": tf.einsum("bhwf,fb->bhw", maps, weights)}

    def _inputs_of(self, images: tf.Tensor) -> tf.Tensor:
        """Encoded images, bytes [batch] -> what the network sees, uint8 [batch, size, size, 3]."""
        # Of an image alone everything but its bytes is unknown, and nothing but its bytes is looked at.
        others = {
            name: tf.zeros([tf.shape(images)[0], *spec.shape], spec.dtype)
            if spec.dtype != tf.string
            else tf.fill([tf.shape(images)[0], *spec.shape], "")
            for name, spec in self._raw_spec.items()
        }
        shape = [-1, *self._raw_spec[features.ENCODED].shape]
        transformed = self._transform.transform_fn(others | {features.ENCODED: tf.reshape(images, shape)})
        return tf.map_fn(
            lambda encoded: evaluation_input(encoded, self._reading),
            transformed[features.ENCODED],
            fn_output_signature=tf.uint8,
        )


def _constant_if_small(variable: keras.Variable) -> tf.Tensor | tf.Variable:
    return tf.constant(variable.numpy()) if math.prod(variable.shape) <= _SMALL else variable.value


def _traced(function: Callable[..., Any], *arguments: tf.TensorSpec) -> Any:
    """The function as a graph for arguments of these shapes."""
    return tf.function(function).get_concrete_function(*arguments)


def _with_maps(model: keras.Model) -> keras.Model:
    """The classifier with a second output: the maps that its classes are read off."""
    return keras.Model(model.inputs, [model.output, model.get_layer("head_activation").output])
