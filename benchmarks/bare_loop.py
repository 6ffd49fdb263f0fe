"""The bare loop: two processes that read, decode, resize and encode files with TensorFlow, and do nothing else."""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from efficientmixnet.modules.data import images


def bare_loop(data: Path, size: int, ours: bool = False) -> tuple[float, float]:
    """Returns images per second and CPU milliseconds per image of two warm processes."""
    files = sorted(map(str, data.glob("*/*")))
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _one_thread, (round(size / 0.875), images.shrink if ours else tensorflows)) as pool:
        pool.map(_shrink, files[:20], chunksize=5)
        began = time.monotonic()
        cpu = sum(pool.imap_unordered(_shrink, files, chunksize=10))
        return len(files) / (time.monotonic() - began), 1000 * cpu / len(files)


def tensorflows(encoded: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Does what images.shrink does to a JPEG, in the obvious way: bytes [] -> bytes []."""
    image = tf.io.decode_jpeg(encoded, channels=3)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.minimum(shorter_side / tf.reduce_min(size), 1.0)
    resized = tf.image.resize(image, tf.cast(tf.round(scale * size), tf.int32), antialias=True)
    return tf.io.encode_jpeg(tf.cast(tf.round(resized), tf.uint8), quality=images.JPEG_QUALITY)


def _one_thread(side: int, shrink: Callable[[tf.Tensor, int], tf.Tensor]) -> None:
    global _shrink_one
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _shrink_one = tf.function(
        lambda encoded: shrink(encoded, side), input_signature=[tf.TensorSpec([], tf.string)], autograph=False
    )


def _shrink(file: str) -> float:
    began = time.process_time()
    _shrink_one(tf.constant(Path(file).read_bytes())).numpy()
    return time.process_time() - began
