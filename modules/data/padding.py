"""padded_batches: evaluation batches of one size, as JAX needs them to split them over its devices."""

import tensorflow as tf

from efficientmixnet.modules.data.batches import Reading, evaluation_batch_size, evaluation_batches
from efficientmixnet.modules.data.records import Records


def padded_batches(records: Records, reading: Reading) -> tf.data.Dataset:
    """Returns the evaluation batches, filled up with black images that count nothing.

    Keras averages the loss over the batches, each divided by its size with the padding. The weights undo that, so that
    the loss is the mean over the images. Labels of the padding are negative, which ConfusionAccuracy does not count.

    Returns:
        A dataset of images [batch, size, size, channels], labels [batch, classes] and weights [batch], all
        float32 except images of uint8.
    """
    batches = evaluation_batches(records, reading)
    fewest = evaluation_batch_size(records.count, reading)
    size = -(-fewest // reading.devices) * reading.devices
    steps = int(batches.cardinality())
    weight = size * steps * reading.workers / records.count

    def pad(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        missing = size - tf.shape(images)[0]
        weights = tf.fill([size - missing], weight)
        images = tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]])
        labels = tf.pad(labels, [[0, missing], [0, 0]], constant_values=-1.0)
        filled = images, labels, tf.pad(weights, [[0, missing]])
        return tuple(tf.ensure_shape(one, [size, *one.shape[1:]]) for one in filled)

    return batches.map(pad).apply(tf.data.experimental.assert_cardinality(steps))
