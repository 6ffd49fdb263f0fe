"""The ServingCheck component: compares the exported model with the training path before the model is pushed."""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tfx import v1 as tfx
from tfx.types import artifact_utils

from efficientmixnet.components.image_example_gen.originals import read_originals
from efficientmixnet.modules import features
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.batches import Reading, evaluation_input
from efficientmixnet.modules.data.records import channels_of, is_deep
from efficientmixnet.modules.exported_model import SERVING_FOLDER
from efficientmixnet.modules.failures.out_of_memory import ended_out_of_memory

_IMAGES = 8
_TOLERANCE = 1e-4  # probability
_SECONDS = 300
_PROBE = Path(__file__).with_name("probe.py")


@tfx.dsl.components.component
def ServingCheck(
    blessing: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.InfraBlessing],
    model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    examples: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    transformed_examples: tfx.dsl.components.InputArtifact[list[tfx.types.standard_artifacts.Examples]],
    config: tfx.dsl.components.Parameter[str],
) -> None:
    """Calls each signature with a few images of the evaluation split, in a new process.

    Among them is one image of each format, whose original file is sent too. The signature must refuse it, or see the
    pixels that training saw. It must not refuse JPEG and PNG.

    Args:
        blessing: 1 if the model predicts the same as in training.
        model: The candidate model.
        examples: The images as ingested.
        transformed_examples: The images as training read them, with those of earlier spans.
        config: A ModelConfig as JSON.

    Raises:
        RuntimeError: The exported model fails, or its predictions differ from those in training.
    """
    of_one_span = len(transformed_examples) == 1
    (same,) = (one for one in transformed_examples if of_one_span or one.span == examples.span)
    network = ModelConfig.model_validate(json.loads(config)).network
    first = next(iter(_records(same)))
    reading = Reading(
        image_size=network.image_size or network.default_image_size,
        crop_fraction=network.evaluation_crop,
        classes=0,
        batch_size=_IMAGES,
        deep=is_deep(first),
        channels=channels_of(first),
    )
    images = training_inputs(examples, same, reading, network.stored_side)
    differences = compare_with_training(f"{model.uri}/{SERVING_FOLDER}", images)
    differing = [f"{name} by {value:g}" for name, value in differences.items() if not value <= _TOLERANCE]
    if differing:
        raise RuntimeError(f"the exported model's predictions differ from those in training: {', '.join(differing)}")
    blessing.set_int_custom_property("blessed", 1)
    blessing.set_string_custom_property("differences", json.dumps(differences))


def compare_with_training(model: str, images: Iterable[tuple[bytes, np.ndarray, int]]) -> dict[str, float]:
    """Compares the exported model with the training path, in a process with only TensorFlow.

    Args:
        model: The folder of the SavedModel.
        images: For each image the serialized tf.Example as ingested, the network's input, and the label's number. An
            Example can hold the original file too. They are read while the process loads the model.

    Returns:
        By signature, the largest difference of its outputs; infinite where an output is not a number. Original files
        have their own rows, by format, if the signature does not refuse them. The signatures for arrays have rows if
        there are arrays of their types.

    Raises:
        RuntimeError: The process failed. The message ends with the last line of its log.
    """
    with tempfile.TemporaryDirectory() as folder, _started_probe(model, folder) as probe:
        try:
            examples, inputs, label_ids = zip(*images, strict=True)
            with tf.io.TFRecordWriter(f"{folder}/examples.tfrecord") as writer:
                for example in examples:
                    writer.write(example)
            np.save(f"{folder}/inputs.npy", np.stack(inputs))
            np.save(f"{folder}/label_ids.npy", np.array(label_ids))
            _, errors = probe.communicate("written\n", _SECONDS)
        except BaseException:
            probe.kill()
            raise
        if probe.returncode < 0 and ended_out_of_memory(-probe.returncode):
            raise MemoryError
        if probe.returncode:
            last = errors.strip().rpartition("\n")[2]
            raise RuntimeError(f"a fresh process with plain TensorFlow cannot run the exported model: {last}")
        differences = json.loads(Path(folder, "differences.json").read_text())
    return {name: math.inf if value is None else float(value) for name, value in differences.items()}


def _started_probe(model: str, folder: str) -> "subprocess.Popen[str]":
    """Starts probe.py, which loads the model, and waits for a line before it reads the folder."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", str(_PROBE), model, folder],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def training_inputs(
    examples: tfx.types.standard_artifacts.Examples,
    transformed: tfx.types.standard_artifacts.Examples,
    reading: Reading,
    shorter_side: int,
) -> Iterator[tuple[bytes, np.ndarray, int]]:
    """Yields a few images in the form that `compare_with_training` takes.

    Args:
        examples: The images as ingested.
        transformed: The images as training read them. Another span may have an image of the same name; the image with
            the bytes that Transform makes of the ingested one is taken.
        reading: How training reads images.
        shorter_side: The shorter side of transformed images, pixels.
    """
    first = (tf.train.Example.FromString(record.numpy()) for record in _records(examples).take(_IMAGES))
    chosen: dict[bytes, tuple[bytes, bytes]] = {}  # by name, the ingested record and the transformed image
    # For a few images, a graph would take longer to make than it saves.
    for one in (*read_originals(examples.uri), *first):  # one at a time, since originals can be large
        shrunk = images.shrink(tf.constant(_bytes(one, features.ENCODED)), shorter_side, reading.channels).numpy()
        chosen.setdefault(_bytes(one, features.FILENAME), (one.SerializeToString(deterministic=True), shrunk))

    found: dict[bytes, tuple[np.ndarray, int]] = {}
    left = set(chosen)
    for record in _records(transformed):
        one = tf.train.Example.FromString(record.numpy())
        name, encoded = _bytes(one, features.FILENAME), _bytes(one, features.ENCODED)
        if name not in left:
            continue
        (label_id,) = one.features.feature[features.LABEL_ID].int64_list.value
        if encoded == chosen[name][1]:
            left.remove(name)
        elif name in found:
            continue
        found[name] = evaluation_input(tf.constant(encoded), reading).numpy(), label_id
        if not left:
            break
    yield from ((chosen[name][0], *found[name]) for name in found)


def _bytes(example: tf.train.Example, feature: str) -> bytes:
    (value,) = example.features.feature[feature].bytes_list.value
    return bytes(value)


def _records(examples: tfx.types.standard_artifacts.Examples) -> tf.data.Dataset:
    (split,) = artifact_utils.get_split_uris([examples], "eval")
    files = sorted(f"{split}/{name}" for name in tfx.dsl.io.fileio.listdir(split))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")
