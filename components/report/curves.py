"""Training curves, read from the event files that the TensorBoard callback writes."""

import tensorflow as tf
from tensorflow.core.util import event_pb2

_PREFIX = "epoch_"


def read_curves(folder: str) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Returns the curves of a training.

    Args:
        folder: The folder with the subfolders `train` and `validation`.

    Returns:
        By metric and by `train` or `validation`, pairs of epoch and value. Of an epoch written twice, the last value.
    """
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
