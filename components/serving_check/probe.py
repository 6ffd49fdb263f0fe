"""What a fresh process runs: TensorFlow loads the model and asks each signature; neither our code nor Keras is there.

    python -I probe.py MODEL FOLDER

FOLDER holds examples.tfrecord, and in inputs.npy and label_ids.npy what training makes of the same images; answers
are written to answers.json.
"""

import json
import sys
from pathlib import Path

for absent in ("efficientmixnet", "keras", "jax"):  # a server of models has none of them
    sys.modules[absent] = None  # type: ignore[assignment]  # an import of it fails from here on

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

_ENCODED = "image/encoded"


def main(model_folder: str, folder: Path) -> None:
    """Writes how far each signature's answers lie from the training path's, at most."""
    model = tf.saved_model.load(model_folder)
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(folder / "examples.tfrecord"))]
    examples = tf.constant(records)
    images = tf.io.parse_example(examples, {_ENCODED: tf.io.FixedLenFeature([], tf.string)})[_ENCODED]
    expected = model.classify_inputs(tf.constant(np.load(folder / "inputs.npy"))).numpy()  # [batch, classes]
    labels = model.class_labels().numpy()

    answers: dict[str, float] = {}
    for name, given in (("serving_default", images), ("serving_examples", examples)):
        found = model.signatures[name](given)
        answers[name] = float(np.abs(found["probabilities"].numpy() - expected).max())
        named = [labels[number] for number in found["probabilities"].numpy().argmax(axis=1)]
        if found["labels"].numpy().tolist() != named:
            answers[name] = float("inf")
    label_ids = model.signatures["transform_features"](examples)["image/class/label"].numpy()
    answers["transform_features"] = float(np.abs(label_ids - np.load(folder / "label_ids.npy")).max())
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
