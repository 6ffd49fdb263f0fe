"""The graph that shrinks images is traced once in a process."""

import importlib

import numpy as np
import tensorflow as tf

from efficientmixnet.modules import preprocessing
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.shrinking import shrinking


def test_it_is_traced_once_even_though_tfx_reloads_the_module_of_preprocessing_fn() -> None:
    traced = preprocessing.shrinking(24, 3)
    assert importlib.reload(preprocessing).shrinking(24, 3) is traced


def test_it_gives_what_the_function_of_one_image_gives() -> None:
    random = np.random.default_rng(0)
    files = [
        encode(random.integers(0, 256, (48, 40, 3), dtype=np.uint8)) for encode in (tf.io.encode_jpeg, tf.io.encode_png)
    ]
    shrunk = shrinking(24, 3)(tf.stack(files))
    assert list(shrunk.numpy()) == [images.shrink(file, 24).numpy() for file in files]
