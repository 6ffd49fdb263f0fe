"""Noisy images of three colors on which tests call run_fn, and helpers to read what it exports."""

import io

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules import features

LABELS = ["bleu", "jaune clair", "rouge"]
COLORS = {"bleu": (40, 60, 200), "jaune clair": (230, 220, 90), "rouge": (200, 40, 50)}
SIDE = 16  # pixels of the network's input
BLOCKS = ["r1_k3_s22_e1_i8_o8_se0.25", "r1_k3.5_s22_e2_i8_o12_se0.25"]
RAW_SPEC = {
    features.ENCODED: tf.io.FixedLenFeature([], tf.string),
    features.LABEL: tf.io.FixedLenFeature([], tf.string),
    features.FILENAME: tf.io.FixedLenFeature([], tf.string),
    features.DEPTH: tf.io.FixedLenFeature([], tf.int64),
    features.CHANNEL_MEAN: tf.io.FixedLenFeature([3], tf.float32),
    features.CHANNEL_MEAN_SQUARE: tf.io.FixedLenFeature([3], tf.float32),
}


def weights(folder: str) -> list[np.ndarray]:
    """Returns the weights of the network in the exported model's folder."""
    return keras.saving.load_model(f"{folder}/assets.extra/network.keras").get_weights()


def png(color: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 9), color).save(file, "PNG")
    return file.getvalue()
