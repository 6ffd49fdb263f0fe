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
        self._model = model
        self._raw_spec = transform_output.raw_feature_spec()
        self._transform = tf.saved_model.load(transform_output.transform_savedmodel_dir)
        self._labels = tf.constant(list(labels))
        self._reading = reading

    def save(self, folder: str) -> None:
        """Writes the SavedModel with its signatures."""
        strings = tf.TensorSpec([None], tf.string)
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
        # Of a picture alone everything but its bytes is unknown, and nothing but its bytes is looked at.
        others = {
            name: tf.zeros([tf.shape(pictures)[0], *spec.shape], spec.dtype)
            if spec.dtype != tf.string
            else tf.fill([tf.shape(pictures)[0], *spec.shape], "")
            for name, spec in self._raw_spec.items()
        }
        shape = [-1, *self._raw_spec[features.ENCODED].shape]
        transformed = self._transform.transform_fn(others | {features.ENCODED: tf.reshape(pictures, shape)})
        inputs = tf.map_fn(
            lambda encoded: evaluation_input(encoded, self._reading),
            transformed[features.ENCODED],
            fn_output_signature=tf.uint8,
        )  # [batch, size, size, 3]
        probabilities = self.classify_inputs(inputs)
        class_ids = tf.argmax(probabilities, axis=-1)
        return {
            features.PROBABILITIES: probabilities,
            features.CLASS_IDS: class_ids,
            features.LABELS: tf.gather(self._labels, class_ids),
        }

    @tf.function
    def classify_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        """The network alone: uint8 [batch, size, size, 3] -> probabilities [batch, classes]."""
        return self._model(inputs, training=False)

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
