"""Curves: what TensorBoard's files hold of a training, epoch by epoch, read without TensorBoard."""

import tensorflow as tf
from tensorflow.core.util import event_pb2

_PREFIX = "epoch_"


def read_curves(folder: str) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """By metric, and for training and validation, (epoch, value) pairs; an epoch written twice counts as the last."""
    curves: dict[str, dict[str, dict[int, float]]] = {}
    for part in ("train", "validation"):
        for file in sorted(tf.io.gfile.glob(f"{folder}/{part}/events.out.tfevents.*")):
            for record in tf.data.TFRecordDataset(file):
                event = event_pb2.Event.FromString(record.numpy())
                for value in event.summary.value:
                    if value.tag.startswith(_PREFIX) and value.HasField("tensor"):
                        number = tf.make_ndarray(value.tensor)
                        if number.size == 1:
                            name = value.tag.removeprefix(_PREFIX)
                            curves.setdefault(name, {}).setdefault(part, {})[event.step + 1] = float(number)
    return {name: {part: sorted(points.items()) for part, points in parts.items()} for name, parts in curves.items()}
