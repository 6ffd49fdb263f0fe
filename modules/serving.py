"""The exported model: three signatures around one network and one Transform graph.

What a picture goes through here is what it went through on its way to training: the Transform graph (shrunk, encoded)
and then the evaluation input (decoded, cropped), so its probabilities are the same.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
import tensorflow_transform as tft

from efficientmixnet.modules import features
from efficientmixnet.modules.data import Reading, evaluation_input


class ServingModule(tf.Module):
    """A picture classifier that needs nothing but TensorFlow to be loaded."""

    def __init__(
        self, model: keras.Model, transform_output: tft.TFTransformOutput, labels: Sequence[str], reading: Reading
    ) -> None:
        super().__init__()
        self._model = _with_maps(model)
        self._raw_spec = transform_output.raw_feature_spec()
        self._transform = tf.saved_model.load(transform_output.transform_savedmodel_dir)
        self._labels = tf.constant(list(labels))
        self._reading = reading

    def save(self, folder: str) -> None:
        """Writes the SavedModel with its signatures."""
        strings = tf.TensorSpec([None], tf.string)
        self.class_activations.get_concrete_function(strings, tf.TensorSpec([None], tf.int64))
        tf.saved_model.save(
            self,
            folder,
            signatures={
                "serving_default": self.classify_pictures.get_concrete_function(strings),
                "serving_examples": self.classify_examples.get_concrete_function(strings),
                "transform_features": self.transform_features.get_concrete_function(strings),
            },
        )

    @tf.function
    def classify_pictures(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        """Encoded pictures, bytes [batch] -> probabilities [batch, classes], class_ids [batch], labels [batch]."""
        probabilities = self.classify_inputs(self._inputs(pictures))
        class_ids = tf.argmax(probabilities, axis=-1)
        return {
            features.PROBABILITIES: probabilities,
            features.CLASS_IDS: class_ids,
            features.LABELS: tf.gather(self._labels, class_ids),
        }

    @tf.function
    def classify_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        """The network alone: uint8 [batch, size, size, 3] -> probabilities [batch, classes]."""
        return self._network(inputs)[0]

    @tf.function
    def class_activations(self, pictures: tf.Tensor, class_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Where the network sees a class: encoded pictures [batch], class_ids [batch] -> inputs and activations.

        `inputs`, uint8 [batch, size, size, 3], is what the network sees; `activations`, float32 [batch, height, width],
        what each place of its last feature map adds to the class's logit, before the mean: Grad-CAM's map, which for a
        mean followed by a dense layer needs no gradient (Selvaraju et al., 2017, arXiv 1610.02391, section 3.1).
        """
        inputs = self._inputs(pictures)
        maps = tf.cast(self._network(inputs)[1], tf.float32)  # [batch, height, width, filters]
        weights = tf.gather(tf.cast(self._model.get_layer("predictions").kernel, tf.float32), class_ids, axis=1)
        return {"inputs": inputs, "activations": tf.einsum("bhwf,fb->bhw", maps, weights)}

    @tf.function
    def _network(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Probabilities [batch, classes] and the maps that they are read off; whichever is unused costs nothing."""
        return tuple(self._model(inputs, training=False))

    def _inputs(self, pictures: tf.Tensor) -> tf.Tensor:
        """Encoded pictures, bytes [batch] -> what the network sees, uint8 [batch, size, size, 3]."""
        # Of a picture alone everything but its bytes is unknown, and nothing but its bytes is looked at.
        others = {
            name: tf.zeros([tf.shape(pictures)[0], *spec.shape], spec.dtype)
            if spec.dtype != tf.string
            else tf.fill([tf.shape(pictures)[0], *spec.shape], "")
            for name, spec in self._raw_spec.items()
        }
        shape = [-1, *self._raw_spec[features.ENCODED].shape]
        transformed = self._transform.transform_fn(others | {features.ENCODED: tf.reshape(pictures, shape)})
        return tf.map_fn(
            lambda encoded: evaluation_input(encoded, self._reading),
            transformed[features.ENCODED],
            fn_output_signature=tf.uint8,
        )

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        """The labels [classes], in the order of the probabilities."""
        return self._labels

    @tf.function
    def classify_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples [batch], of which only the encoded picture is needed; as classify_pictures."""
        spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}
        return self.classify_pictures(tf.io.parse_example(examples, spec)[features.ENCODED])

    @tf.function
    def transform_features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples [batch] -> transformed features (features.py), each [batch, ...]; for TFMA."""
        return self._transform.transform_fn(tf.io.parse_example(examples, self._raw_spec))


def _with_maps(model: keras.Model) -> keras.Model:
    """The classifier with a second output: the maps that its classes are read off."""
    return keras.Model(model.inputs, [model.output, model.get_layer("head_activation").output])
