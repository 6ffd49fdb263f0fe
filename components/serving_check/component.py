"""The component ServingCheck: before a blessed model is pushed, a fresh process asks it what training answered."""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tfx import v1 as tfx
from tfx.types import artifact_utils

from efficientmixnet.modules import features
from efficientmixnet.modules.data import Reading, evaluation_input
from efficientmixnet.modules.training_config import ModelConfig

_PICTURES = 8
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
    """Asks each signature about a few pictures of the evaluation split.

    Args:
        blessing: Whether the model answers as it did in training; 0 for a model that nobody will push.
        model: The candidate.
        model_blessing: Evaluator's; a model without one is not asked.
        examples: As ingested.
        transformed_examples: The same, as training read them; there may be those of earlier spans beside.
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
        batch_size=_PICTURES,
    )
    trained = dict(_trained_on(same, reading))
    raw = {_filename(record): record for record in _first(examples, set(trained))}
    answers = ask(f"{model.uri}/Format-Serving", [(raw[name], *trained[name]) for name in raw])
    differing = [f"{name} by {answer:g}" for name, answer in answers.items() if not answer <= _TOLERANCE]
    if differing:
        raise RuntimeError(f"the exported model answers otherwise than in training: {', '.join(differing)}")
    blessing.set_int_custom_property("blessed", 1)
    blessing.set_string_custom_property("differences", json.dumps(answers))


def ask(model: str, pictures: list[tuple[bytes, np.ndarray, int]]) -> dict[str, float]:
    """How far each signature's answers lie from the training path's, in a process of its own.

    Args:
        model: The SavedModel's folder.
        pictures: Each as a serialized tf.Example as ingested, as the network's input, and its label's number.

    Raises:
        RuntimeError: The process failed; the message ends with what it said last.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tf.io.TFRecordWriter(f"{folder}/examples.tfrecord") as writer:
            for example, _, _ in pictures:
                writer.write(example)
        np.save(f"{folder}/inputs.npy", np.stack([one for _, one, _ in pictures]))
        np.save(f"{folder}/label_ids.npy", np.array([number for _, _, number in pictures]))
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


def _trained_on(
    transformed: tfx.types.standard_artifacts.Examples, reading: Reading
) -> Iterator[tuple[str, tuple[np.ndarray, int]]]:
    """A few pictures' names, with what the network sees of them and their labels' numbers."""
    spec = {
        features.FILENAME: tf.io.FixedLenFeature([], tf.string),
        features.ENCODED: tf.io.FixedLenFeature([], tf.string),
        features.LABEL_ID: tf.io.FixedLenFeature([], tf.int64),
    }
    for record in _records(transformed).take(_PICTURES):
        one = tf.io.parse_single_example(record, spec)
        seen = evaluation_input(one[features.ENCODED], reading).numpy()
        yield one[features.FILENAME].numpy().decode(), (seen, int(one[features.LABEL_ID]))


def _first(examples: tfx.types.standard_artifacts.Examples, names: set[str]) -> Iterator[bytes]:
    """The examples of these names, each once."""
    left = set(names)
    for record in _records(examples):
        if (name := _filename(record.numpy())) in left:
            left.remove(name)
            yield record.numpy()
        if not left:
            return


def _filename(record: bytes) -> str:
    example = tf.train.Example.FromString(record)
    return example.features.feature[features.FILENAME].bytes_list.value[0].decode()


def _records(examples: tfx.types.standard_artifacts.Examples) -> tf.data.Dataset:
    (split,) = artifact_utils.get_split_uris([examples], "eval")
    files = sorted(f"{split}/{name}" for name in tfx.dsl.io.fileio.listdir(split))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")
