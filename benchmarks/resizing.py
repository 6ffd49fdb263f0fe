"""Compares our resizing with tf.image.resize, both antialiased: seconds of one thread, and differing pixels.

python benchmarks/resizing.py [--photographs FOLDER] [--rounds 5]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from photographs import photographs
from PIL import Image
from rich.console import Console
from rich.table import Table

from efficientmixnet.modules.data.resize import resize

# shorter side in pixels, before and after
SIDES = ((64, 256), (256, 224), (280, 256), (375, 256), (375, 64), (750, 256), (1500, 256))
PHOTOGRAPHS = 20


def tensorflows(image: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """uint8 [height, width, 3] -> uint8 [*size, 3]."""
    return tf.cast(tf.round(tf.image.resize(image, size, antialias=True)), tf.uint8)


def compiled(function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    signature = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([2], tf.int32)]
    return tf.function(function, input_signature=signature, autograph=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, help="a folder of JPEG files")
    parser.add_argument("--rounds", type=int, default=5, help="the best round counts")
    given = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    ways = {"ours": compiled(resize), "tf.image.resize": compiled(tensorflows)}
    table = Table("shorter side", *(f"{name}, CPU ms" for name in ways), "ours / TensorFlow's", "bytes that differ")
    with tempfile.TemporaryDirectory() as name:
        folder = photographs(Path(name, "photographs"), None, given.photographs)
        files = sorted(file for file in folder.rglob("*") if file.is_file())[:PHOTOGRAPHS]
        originals = [Image.open(file).convert("RGB") for file in files]
    for before, after in SIDES:
        images = [tf.constant(np.asarray(scaled(original, before))) for original in originals]
        sizes = [tf.constant([round(after / before * side) for side in image.shape[:2]]) for image in images]
        pairs = list(zip(images, sizes, strict=True))
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(given.rounds):
            for name, way in ways.items():
                began = time.process_time()
                for image, size in pairs:
                    way(image, size)
                best[name] = min(best[name], time.process_time() - began)
        differences = [np.mean(ways["ours"](*pair) != ways["tf.image.resize"](*pair)) for pair in pairs]
        milliseconds = [1000 * seconds / len(pairs) for seconds in best.values()]
        row = [f"{one:.2f}" for one in (*milliseconds, milliseconds[0] / milliseconds[1])]
        table.add_row(f"{before} to {after}", *row, f"{np.mean(differences):.1e}")
    Console().print(table)


def scaled(image: Image.Image, shorter_side: int) -> Image.Image:
    scale = shorter_side / min(image.size)
    return image.resize((round(scale * image.width), round(scale * image.height)))


if __name__ == "__main__":
    main()
