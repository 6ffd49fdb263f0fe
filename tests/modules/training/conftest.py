"""Fixture: records of gray images."""

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules import features


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """160 gray images of 16 x 16 pixels in two classes."""
    folder = tmp_path_factory.mktemp("records")
    with tf.io.TFRecordWriter(f"{folder}/images.gz", "GZIP") as writer:
        for number in range(160):
            pixels = np.full((16, 16, 3), 60 + 100 * (number % 2), "uint8")
            values = {
                features.ENCODED: tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[tf.io.encode_png(pixels).numpy()])
                ),
                features.LABEL_ID: tf.train.Feature(int64_list=tf.train.Int64List(value=[number % 2])),
                features.CHANNEL_MEAN: tf.train.Feature(float_list=tf.train.FloatList(value=[0.4] * 3)),
                features.CHANNEL_DEVIATION: tf.train.Feature(float_list=tf.train.FloatList(value=[0.2] * 3)),
                features.DEPTH: tf.train.Feature(int64_list=tf.train.Int64List(value=[8])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString())
    return f"{folder}/images.gz"
