"""The component ServingCheck: before a blessed model is pushed, a fresh process asks it what training answered."""

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from tfx import v1 as tfx
from tfx.types import artifact_utils

from efficientmixnet.modules import features
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data.batches import Reading, evaluation_input
from efficientmixnet.modules.data.images import shrink
from efficientmixnet.modules.exported_model import SERVING_FOLDER

_IMAGES = 8
_TOLERANCE = 1e-4  # of a probability
_SECONDS = 300
_PROBE = Path(__file__).with_name("probe.py")


@tfx.dsl.components.component
def ServingCheck(
    blessing: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.InfraBlessing],
    model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    model_blessing: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ModelBlessing],
    examples: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    transformed_examples: tfx.dsl.components.InputArtifact[list[tfx.types.standard_artifacts.Examples]],
    config: tfx.dsl.components.Parameter[str],
) -> None:
    """Asks each signature about a few images of the evaluation split.

    Args:
        blessing: Whether the model answers as it did in training; 0 for a model that nobody will push.
        model: The candidate.
        model_blessing: Evaluator's; a model without one is not asked.
        examples: As ingested.
        transformed_examples: The same, as training read them; those of earlier spans may be beside, or among, them.
        config: A ModelConfig as JSON.

    Raises:
        RuntimeError: The exported model answers otherwise than in training, or not at all.
    """
    blessing.set_int_custom_property("blessed", 0)
    if model_blessing.get_int_custom_property("blessed") != 1:
        return
    of_one_span = len(transformed_examples) == 1
    (same,) = (one for one in transformed_examples if of_one_span or one.span == examples.span)
    network = ModelConfig.model_validate(json.loads(config)).network
    reading = Reading(
        image_size=network.image_size or network.default_image_size,
        crop_fraction=network.evaluation_crop,
        classes=0,
        batch_size=_IMAGES,
    )
    answers = ask(f"{model.uri}/{SERVING_FOLDER}", trained_on(examples, same, reading, network.stored_side))
    differing = [f"{name} by {answer:g}" for name, answer in answers.items() if not answer <= _TOLERANCE]
    if differing:
        raise RuntimeError(f"the exported model answers otherwise than in training: {', '.join(differing)}")
    blessing.set_int_custom_property("blessed", 1)
    blessing.set_string_custom_property("differences", json.dumps(answers))


def ask(model: str, images: list[tuple[bytes, np.ndarray, int]]) -> dict[str, float]:
    """How far each signature's answers lie from the training path's, in a process of its own.

    Args:
        model: The SavedModel's folder.
        images: Each as a serialized tf.Example as ingested, as the network's input, and its label's number.

    Raises:
        RuntimeError: The process failed; the message ends with what it said last.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tf.io.TFRecordWriter(f"{folder}/examples.tfrecord") as writer:
            for example, _, _ in images:
                writer.write(example)
        np.save(f"{folder}/inputs.npy", np.stack([one for _, one, _ in images]))
        np.save(f"{folder}/label_ids.npy", np.array([number for _, _, number in images]))
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", str(_PROBE), model, folder],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        if done.returncode:
            last = done.stderr.strip().rpartition("\n")[2]
            raise RuntimeError(f"a fresh process with plain TensorFlow cannot serve the exported model: {last}")
        answers = json.loads(Path(folder, "answers.json").read_text())
    return {name: math.inf if answer is None else float(answer) for name, answer in answers.items()}


def trained_on(
    examples: tfx.types.standard_artifacts.Examples,
    transformed: tfx.types.standard_artifacts.Examples,
    reading: Reading,
    shorter_side: int,
) -> list[tuple[bytes, np.ndarray, int]]:
    """A few images, as `ask` takes them.

    Another span may have an image of the same name; then the one is taken whose bytes are what Transform makes of it.
    """
    asked: dict[bytes, tuple[bytes, bytes]] = {}  # by name: as ingested, and the bytes that Transform makes of it
    for record in _records(examples).take(_IMAGES):
        one = tf.train.Example.FromString(record.numpy())
        shrunk = shrink(tf.constant(_bytes(one, features.ENCODED)), shorter_side)
        asked.setdefault(_bytes(one, features.FILENAME), (record.numpy(), shrunk.numpy()))
    found: dict[bytes, tuple[np.ndarray, int]] = {}
    left = set(asked)
    for record in _records(transformed):
        one = tf.train.Example.FromString(record.numpy())
        name, encoded = _bytes(one, features.FILENAME), _bytes(one, features.ENCODED)
        if name not in left:
            continue
        (label_id,) = one.features.feature[features.LABEL_ID].int64_list.value
        if encoded == asked[name][1]:
            left.remove(name)
        elif name in found:
            continue
        found[name] = evaluation_input(tf.constant(encoded), reading).numpy(), label_id
        if not left:
            break
    return [(asked[name][0], *found[name]) for name in found]


def _bytes(example: tf.train.Example, feature: str) -> bytes:
    (value,) = example.features.feature[feature].bytes_list.value
    return bytes(value)


def _records(examples: tfx.types.standard_artifacts.Examples) -> tf.data.Dataset:
    (split,) = artifact_utils.get_split_uris([examples], "eval")
    files = sorted(f"{split}/{name}" for name in tfx.dsl.io.fileio.listdir(split))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")
