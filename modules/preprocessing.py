"""preprocessing_fn: the Transform graph, from an image as ingested to a small image and its label's number.

Training reads what this graph wrote, and the exported model holds the same graph, so both see the same pixels.
"""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from efficientmixnet.modules import features
from efficientmixnet.modules.data import images


# TFT traces this several times, and there is no Python in it that depends on a tensor.
@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Raw features (see features.py), each [batch] or [batch, 1] -> transformed features, each [batch] or [batch, 3].

    `custom_config` holds `shorter_side`, pixels: that of the images that training reads, at most.
    """
    encoded = tf.reshape(inputs[features.ENCODED], [-1])  # [batch]
    mean, deviation = _channel_statistics(inputs)
    return {
        features.ENCODED: _shrink(encoded, custom_config["shorter_side"]),
        features.FILENAME: tf.reshape(inputs[features.FILENAME], [-1]),
        features.LABEL_ID: _label_ids(tf.reshape(inputs[features.LABEL], [-1])),
        features.CHANNEL_MEAN: _in_every_row(mean, encoded),
        features.CHANNEL_DEVIATION: _in_every_row(deviation, encoded),
    }


@tf.function(autograph=False)  # one node, where TFT goes through the whole graph once for every analyzer
def _shrink(encoded: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Bytes [batch] -> bytes [batch]."""
    return tf.map_fn(lambda one: images.shrink(one, shorter_side), encoded)


def _label_ids(labels: tf.Tensor) -> tf.Tensor:
    """Labels [batch] -> their positions in the alphabetical vocabulary [batch], -1 for one that is not in it."""
    # TFT sorts a vocabulary by weight, then reverse alphabetically; with no weights at all the alphabet remains.
    weightless = tf.zeros(tf.shape(labels))
    vocabulary = tft.vocabulary(labels, weights=weightless, vocab_filename=features.LABEL_VOCABULARY)
    tft.count_per_key(labels, key_vocabulary_filename=features.LABEL_COUNTS)  # in the same pass
    reverse = tft.apply_vocabulary(labels, vocabulary)
    last = tft.experimental.get_vocabulary_size_by_name(features.LABEL_VOCABULARY) - 1
    return tf.where(reverse < 0, reverse, last - reverse)


def _channel_statistics(inputs: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and deviation of R, G and B over the training split, each [3], from what ingest noted of each image."""
    moments = tf.concat([inputs[name] for name in features.CHANNEL_FEATURES], axis=1)  # [batch, 6]
    mean, mean_square = tf.split(tft.mean(moments, reduce_instance_dims=False), 2)
    # A channel that never varies would divide by zero.
    deviation = tf.sqrt(tf.maximum(mean_square - mean**2, 1e-6))
    return mean, deviation


def _in_every_row(value: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.repeat(tf.reshape(value, [1, 3]), tf.shape(like)[0], axis=0)
