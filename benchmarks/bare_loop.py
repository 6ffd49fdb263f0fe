"""The bare loop: two processes that read, decode, resize and encode files with TensorFlow, and nothing else."""

import multiprocessing
import time
from pathlib import Path

import tensorflow as tf

from efficientmixnet.modules import pictures


def bare_loop(data: Path, size: int) -> tuple[float, float]:
    """Two warm processes that read, decode, resize and encode: pictures a second, and CPU milliseconds a picture."""
    files = sorted(map(str, data.glob("*/*")))
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _one_thread, (round(size / 0.875),)) as pool:
        pool.map(_shrink, files[:20], chunksize=5)
        began = time.monotonic()
        cpu = sum(pool.imap_unordered(_shrink, files, chunksize=10))
        return len(files) / (time.monotonic() - began), 1000 * cpu / len(files)


def _one_thread(side: int) -> None:
    global _shrink_one
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _shrink_one = tf.function(
        lambda encoded: pictures.shrink(encoded, side), input_signature=[tf.TensorSpec([], tf.string)], autograph=False
    )


def _shrink(file: str) -> float:
    began = time.process_time()
    _shrink_one(tf.constant(Path(file).read_bytes())).numpy()
    return time.process_time() - began
