"""ServingModule: the exported model, with signatures around one network and one Transform graph.

An image goes through the same steps as in training: the Transform graph (resized and encoded), then the evaluation
input (decoded and cropped). So the probabilities are the same. Its EXIF orientation is read in the graph. A format that
TensorFlow reads in another way than ingest is refused.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from efficientmixnet.modules import features
from efficientmixnet.modules.data.arrays import LARGEST, encode_array
from efficientmixnet.modules.data.batches import Reading, evaluation_input

_SMALL = 2**12  # elements


class ServingModule(tf.Module):
    """An image classifier that plain TensorFlow can load.

    It holds only weights and traced functions. With a Keras model or untraced functions, the SavedModel would contain
    the whole graph two or three times, and loading would take two or three times as long. Small weights, which are the
    majority, are constants, because loading creates about ten operations for each variable.

    Args:
        model: The trained classifier, with the layers `predictions` and `head_activation`.
        transform_output: Transform's output, which holds its graph.
        labels: The labels in the order of the probabilities.
        reading: How images become the network's input.

    Example:
        >>> ServingModule(model, transform_output, labels, reading).save("model/Format-Serving")
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
        self._pixels = tf.float32 if reading.deep else tf.uint8
        images = tf.TensorSpec([None, reading.image_size, reading.image_size, reading.channels], self._pixels)
        # Probabilities [batch, classes] and the last feature maps. TensorFlow does not compute an unused output.
        self._network = _traced(
            lambda inputs: tuple(network.stateless_call(trained, moved, inputs, training=False)[0]), images
        )
        self._inputs = _traced(self._inputs_of, strings)
        self.class_labels = _traced(lambda: self._labels)  # [classes], in the order of the probabilities
        self.classify_inputs = _traced(lambda inputs: self._network(inputs)[0], images)
        self.class_activations = _traced(self._class_activations, strings, tf.TensorSpec([None], tf.int64))
        self.embeddings = _traced(self._embeddings, strings)
        self._classify = _traced(self._classify_images, strings)

    def save(self, folder: str) -> None:
        """Writes the SavedModel with its signatures to the folder."""
        strings = tf.TensorSpec([None], tf.string)
        signatures = {
            "serving_default": self._classify,
            "serving_examples": _traced(self._classify_examples, strings),
            "transform_features": _traced(self._transform_features, strings),
            **{f"serving_{kind.name}": self._array_signature(kind) for kind in LARGEST},
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
        """As _classify_images, for serialized tf.Examples [batch]. Only the encoded image is read."""
        spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}
        return self._classify(tf.io.parse_example(examples, spec)[features.ENCODED])

    def _array_signature(self, kind: tf.DType) -> Any:
        """Returns _classify_images for arrays, [batch, height, width, channels]. Each is encoded as an .npy file."""

        def classify(arrays: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._classify(tf.map_fn(encode_array, arrays, fn_output_signature=tf.string))

        return _traced(classify, tf.TensorSpec([None, None, None, self._reading.channels], kind, "arrays"))

    def _transform_features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples [batch] -> transformed features (features.py), each [batch, ...].

        TFMA uses this signature. It does not need the transformed image, so the image is left out, which saves a third
        of the work of an evaluation.
        """
        transformed = self._transform.transform_fn(tf.io.parse_example(examples, self._raw_spec))
        return {name: value for name, value in transformed.items() if name != features.ENCODED}

    def _class_activations(self, images: tf.Tensor, class_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Encoded images [batch], class_ids [batch] -> inputs and class activation maps.

        `inputs`, [batch, size, size, channels], is the network's input, rounded to uint8 if it has three channels.
        `activations`, float32 [batch, height, width], is what each position of the last feature map adds to the class's
        logit, before the mean. This is Grad-CAM's map, which needs no gradient where a mean and a dense layer follow
        (Selvaraju et al., 2017, arXiv 1610.02391, section 3.1).
        """
        inputs = self._inputs(images)
        maps = tf.cast(self._network(inputs)[1], tf.float32)  # [batch, height, width, filters]
        weights = tf.gather(tf.cast(self._kernel, tf.float32), class_ids, axis=1)  # [filters, batch]
        seen = (
            tf.cast(tf.round(tf.clip_by_value(tf.cast(inputs, tf.float32), 0, 255)), tf.uint8)
            if self._reading.channels == 3
            else inputs
        )
        return {"inputs": seen, "activations": tf.einsum("bhwf,fb->bhw", maps, weights)}

    def _embeddings(self, images: tf.Tensor) -> tf.Tensor:
        """Encoded images, bytes [batch] -> the mean of the last feature maps, float32 [batch, filters]."""
        return tf.reduce_mean(tf.cast(self._network(self._inputs(images))[1], tf.float32), axis=[1, 2])

    def _inputs_of(self, images: tf.Tensor) -> tf.Tensor:
        """Encoded images, bytes [batch] -> the network's input, [batch, size, size, channels]."""
        # Only the bytes are known here, and only they are used. The other features get placeholders.
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
            fn_output_signature=self._pixels,
        )


def _constant_if_small(variable: keras.Variable) -> tf.Tensor | tf.Variable:
    return tf.constant(variable.numpy()) if math.prod(variable.shape) <= _SMALL else variable.value


def _traced(function: Callable[..., Any], *arguments: tf.TensorSpec) -> Any:
    """Returns the function as a graph for arguments with these specs."""
    return tf.function(function).get_concrete_function(*arguments)


def _with_maps(model: keras.Model) -> keras.Model:
    """Returns the classifier with its last feature maps as a second output."""
    return keras.Model(model.inputs, [model.output, model.get_layer("head_activation").output])
