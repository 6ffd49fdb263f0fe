"""Parts of tiny trainings in processes: noisy images of three classes, a network, and a listener."""

import io
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules import features, progress

LABELS = ("red", "green", "blue")
NETWORK: Mapping[str, Any] = {
    "variant": "custom",
    "blocks": ["r1_k3_s22_e1_i8_o8_se0.25"],
    "stem_filters": 8,
    "head_filters": 16,
    "image_size": 16,
    "dropout": 0.0,
    "drop_connect": 0.0,
}


def write_images(folder: Path, counts: Mapping[str, int], darkest: float, step: float, deviation: float) -> str:
    """Writes images of 16 x 16 pixels. The mean of class n is darkest + step * n. Returns the folder.

    Args:
        folder: Gets a file SPLIT.gz for each split.
        counts: The number of images by split.
        darkest: The mean of the first class.
        step: The difference between the means of two classes.
        deviation: The standard deviation of the noise.
    """
    random = np.random.default_rng(0)
    for split, count in counts.items():
        with tf.io.TFRecordWriter(f"{folder}/{split}.gz", "GZIP") as writer:
            for number in range(count):
                pixels = random.normal(darkest + step * (number % 3), deviation, (16, 16, 3)).clip(0, 255)
                writer.write(_example(pixels.astype(np.uint8), number % 3).SerializeToString())
    return str(folder)


def _example(pixels: np.ndarray, label: int) -> tf.train.Example:
    file, example = io.BytesIO(), tf.train.Example()
    Image.fromarray(pixels).save(file, "PNG")
    feature = example.features.feature
    feature[features.ENCODED].bytes_list.value.append(file.getvalue())
    feature[features.LABEL_ID].int64_list.value.append(label)
    feature[features.CHANNEL_MEAN].float_list.value.extend([0.5] * 3)
    feature[features.CHANNEL_DEVIATION].float_list.value.extend([0.25] * 3)
    return example


class Listener:
    """Collects the lines of a training, and sends its process a signal after some steps."""

    def __init__(self, steps: int = 0, number: int = signal.SIGKILL) -> None:
        self.lines: list[str] = []
        self._left, self._number = steps, number
        self.process: subprocess.Popen | None = None

    def started(self, process: subprocess.Popen) -> None:
        self.process = process

    def start(self, total: int, unit: str) -> None:
        pass

    def advance(self, count: int, figures: progress.Figures) -> None:
        self._left -= count > 0
        if self._left == 0 and self.process:
            self.process.send_signal(self._number)

    def tell(self, line: str) -> None:
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
