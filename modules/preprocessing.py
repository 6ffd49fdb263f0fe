"""preprocessing_fn: the Transform graph, which resizes images and turns labels into class ids.

Training reads the output of this graph, and the exported model contains the same graph. So both see the same pixels.
"""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.graph_context import TFGraphContext

from efficientmixnet.modules import features
from efficientmixnet.modules.data.shrinking import shrinking


# TFT traces this function several times. Without AutoGraph, which nothing here needs, that is faster.
@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Transforms ingested features into the features that training reads. See features.py for both.

    Args:
        inputs: The ingested features, each [batch] or [batch, 1].
        custom_config: `shorter_side`, the largest shorter side of a transformed image, in pixels.

    Returns:
        The transformed features, each [batch] or [batch, channels].
    """
    encoded = tf.reshape(inputs[features.ENCODED], [-1])  # [batch]
    mean, deviation, is_deep = _statistics(inputs)
    return {
        features.ENCODED: _shrunk(encoded, custom_config["shorter_side"], mean.shape[0]),
        features.FILENAME: tf.reshape(inputs[features.FILENAME], [-1]),
        features.LABEL_ID: _label_ids(tf.reshape(inputs[features.LABEL], [-1])),
        features.CHANNEL_MEAN: _in_every_row(mean, encoded),
        features.CHANNEL_DEVIATION: _in_every_row(deviation, encoded),
        features.DEPTH: _in_every_row(tf.where(is_deep, tf.constant(16, tf.int64), 8), encoded),
    }


def _shrunk(encoded: tf.Tensor, shorter_side: int, channels: int) -> tf.Tensor:
    """Encoded images [batch] -> images with this shorter side, [batch].

    TFT traces a first graph for the analyzers, which need no pixels. Only the second graph has their results.
    """
    if not TFGraphContext.get_evaluated_replacements():
        return tf.identity(encoded, "not_shrunk")
    return shrinking(shorter_side, channels)(encoded)


def _label_ids(labels: tf.Tensor) -> tf.Tensor:
    """Labels [batch] -> indices in the alphabetical vocabulary [batch], -1 for an unknown label."""
    # TFT sorts a vocabulary by weight, then in reverse alphabetical order. With equal weights only the latter counts.
    weightless = tf.zeros(tf.shape(labels))
    vocabulary = tft.vocabulary(labels, weights=weightless, vocab_filename=features.LABEL_VOCABULARY)
    tft.count_per_key(labels, key_vocabulary_filename=features.LABEL_COUNTS)  # in the same pass
    reverse = tft.apply_vocabulary(labels, vocabulary)
    last = tft.experimental.get_vocabulary_size_by_name(features.LABEL_VOCABULARY) - 1
    return tf.where(reverse < 0, reverse, last - reverse)


def _statistics(inputs: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Mean and deviation of the channels over the training split, each [channels], and whether it has deep images, [].

    They come from the ingested moments of each image. A single analyzer, the mean of all, saves a second of tracing.
    """
    deep = tf.cast(tf.reshape(inputs[features.DEPTH], [-1, 1]) > 8, tf.float32)
    channels = inputs[features.CHANNEL_MEAN].shape[1]
    moments = tf.concat([*(inputs[name] for name in features.CHANNEL_FEATURES), deep], axis=1)
    means = tft.mean(moments, reduce_instance_dims=False)  # [2 channels + 1]
    mean, mean_square, is_deep = means[:channels], means[channels:-1], means[-1] > 0
    # A constant channel would lead to a division by zero. Deep images may use a small part of their range.
    least = tf.where(is_deep, tf.clip_by_value(1e-4 * mean_square, 1e-12, 1e-6), 1e-6)
    deviation = tf.sqrt(tf.maximum(mean_square - mean**2, least))
    return mean, deviation, is_deep


def _in_every_row(value: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.broadcast_to(value, [tf.size(like), *value.shape])
