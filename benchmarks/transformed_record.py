"""transformed_record: a record as Transform writes it, for benchmarks that read without a pipeline."""

import tensorflow as tf

from efficientmixnet.modules import features

_CHANNELS = 3


def transformed_record(encoded: bytes, label: int, **others: bytes) -> bytes:
    """Returns a serialized tf.Example.

    Args:
        encoded: A JPEG or PNG file of three channels.
        label: The class id.
        **others: Further features.
    """
    example = tf.train.Example()
    feature = example.features.feature
    feature[features.ENCODED].bytes_list.value.append(encoded)
    feature[features.LABEL_ID].int64_list.value.append(label)
    feature[features.CHANNEL_MEAN].float_list.value.extend([0.5] * _CHANNELS)
    feature[features.CHANNEL_DEVIATION].float_list.value.extend([0.25] * _CHANNELS)
    for name, value in others.items():
        feature[name].bytes_list.value.append(value)
    return example.SerializeToString()
