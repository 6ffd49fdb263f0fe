"""Calls each signature of an exported model in a process that has TensorFlow, but neither our code nor Keras.

    python -I probe.py MODEL FOLDER

The script loads the model and waits for a line of its standard input. Then FOLDER has examples.tfrecord, and what
training makes of the same images in inputs.npy and label_ids.npy. The script writes differences.json.
"""

import gc
import io
import json
import os
import sys
from pathlib import Path

# A model server has none of them. TensorFlow imports the last three for other work, which takes time.
for absent in ("efficientmixnet", "keras", "jax", "googleapiclient", "pandas", "scipy"):
    sys.modules[absent] = None  # type: ignore[assignment]  # makes every import of it fail
gc.disable()  # It takes a third of the time to import TensorFlow, and there is no garbage.

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

_ENCODED, _FORMAT, _ORIGINAL = "image/encoded", "image/format", "image/original"
_NEVER_REFUSED = (b"JPEG", b"PNG")
_ARRAY = b"\x93NUMPY"


def main(model_folder: str, folder: Path) -> None:
    """Writes the largest difference between each signature's outputs and the training path."""
    # Optimizing the graph takes two seconds for each signature, which is far more than it saves for eight images.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    model = tf.saved_model.load(model_folder)
    if not sys.stdin.readline():
        return  # The process that checks the model has ended.
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(folder / "examples.tfrecord"))]
    examples = tf.constant(records)
    texts = {name: tf.io.FixedLenFeature([], tf.string, "") for name in (_ENCODED, _FORMAT, _ORIGINAL)}
    parsed = tf.io.parse_example(examples, texts)
    images = parsed[_ENCODED]
    expected = model.classify_inputs(tf.constant(np.load(folder / "inputs.npy"))).numpy()  # [batch, classes]
    labels = model.class_labels().numpy()

    differences: dict[str, float] = {}
    for name, given in (("serving_default", images), ("serving_examples", examples)):
        found = model.signatures[name](given)
        differences[name] = float(np.abs(found["probabilities"].numpy() - expected).max())
        predicted = [labels[number] for number in found["probabilities"].numpy().argmax(axis=1)]
        if found["labels"].numpy().tolist() != predicted:
            differences[name] = float("inf")
    for kind, original, row in zip(parsed[_FORMAT].numpy(), parsed[_ORIGINAL].numpy(), expected, strict=True):
        if original != b"":
            try:
                found = model.signatures["serving_default"](tf.constant([original]))["probabilities"].numpy()
            except tf.errors.InvalidArgumentError:
                if kind in _NEVER_REFUSED:
                    raise
            else:
                differences[f"serving_default with {kind.decode()}"] = float(np.abs(found - row).max())
    for image, row in zip(images.numpy(), expected, strict=True):
        if image.startswith(_ARRAY):
            array = np.load(io.BytesIO(image), allow_pickle=False)
            found = model.signatures[f"serving_{array.dtype}"](tf.constant(array[np.newaxis]))["probabilities"].numpy()
            difference = float(np.abs(found - row).max())
            differences[f"serving_{array.dtype}"] = max(differences.get(f"serving_{array.dtype}", 0.0), difference)
    label_ids = model.signatures["transform_features"](examples)["image/class/label"].numpy()
    differences["transform_features"] = float(np.abs(label_ids - np.load(folder / "label_ids.npy")).max())
    (folder / "differences.json").write_text(json.dumps(differences))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
    os._exit(0)  # TensorFlow takes a second to free its memory.
