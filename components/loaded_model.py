"""load_model: loads an exported model once for all components of a process."""

from functools import lru_cache
from typing import Any

import tensorflow as tf


def load_model(folder: str) -> Any:
    """Returns the model in the folder of a SavedModel. Evaluator and Report get the same object.

    Args:
        folder: The folder. If another model is written to it, that one is loaded.
    """
    fingerprint = f"{folder}/fingerprint.pb"
    if not tf.io.gfile.exists(fingerprint):
        return tf.saved_model.load(folder)
    with tf.io.gfile.GFile(fingerprint, "rb") as file:
        return _load(folder, file.read())


@lru_cache(2)  # a candidate and its baseline model
def _load(folder: str, fingerprint: bytes) -> Any:
    return tf.saved_model.load(folder)
