"""A training whose step augments the images ends with the weights of one whose reader augments them."""

import io
import json
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules import features, progress
from efficientmixnet.modules.training.train_elsewhere import train_elsewhere
from efficientmixnet.modules.training.training_job import TrainingJob

FLIPS = {"crop_scale": [0.3, 1.0], "randaugment_layers": 1}
MIXES = {**FLIPS, "mixup_alpha": 0.4, "cutmix_alpha": 1.0}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """42 training images, so that an epoch has 5 steps of 8, and 6 evaluation images."""
    folder, random = tmp_path_factory.mktemp("records"), np.random.default_rng(0)
    for split, count in (("train", 42), ("eval", 6)):
        with tf.io.TFRecordWriter(f"{folder}/{split}.gz", "GZIP") as writer:
            for number in range(count):
                soft = random.normal(100 + 40 * (number % 3), 20, (16, 16, 3)).clip(0, 255).astype(np.uint8)
                writer.write(_example(soft, number % 3).SerializeToString())
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


def _job(records: str, checkpoints: Path, backend: str, augmentation: dict[str, Any], **training: Any) -> TrainingJob:
    network = {
        "variant": "custom",
        "blocks": ["r1_k3_s22_e1_i8_o8_se0.25"],
        "stem_filters": 8,
        "head_filters": 16,
        "image_size": 16,
        "dropout": 0.0,
        "drop_connect": 0.0,
    }
    training = {
        "backend": backend,
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 0.01,
        "optimizer": {"name": "sgd", "momentum": 0.9},
        "sharding": "records",
        "checkpoint": {"every_minutes": 1e-9},
        "augmentation": augmentation,
        "deterministic": True,
        **training,
    }
    return TrainingJob(
        config={"network": network, "training": training},
        labels=("red", "green", "blue"),
        class_weights=(1.0, 0.5, 2.0),
        train_files=(f"{records}/train*",),
        eval_files=(f"{records}/eval*",),
        checkpoints=str(checkpoints),
    )


class Listener:
    """Collects the lines, and terminates the process after some steps."""

    def __init__(self, steps: int = 0) -> None:
        self.text, self._left = "", steps
        self.process: subprocess.Popen | None = None

    def started(self, process: subprocess.Popen) -> None:
        self.process = process

    def start(self, total: int, unit: str) -> None:
        pass

    def advance(self, count: int, figures: progress.Figures) -> None:
        self._left -= count > 0
        if self._left == 0 and self.process:
            self.process.terminate()

    def tell(self, line: str) -> None:
        self.text += line + "\n"


def _train(job: TrainingJob, weights: Path, listener: Listener | None = None, **more: str) -> Listener:
    listener = listener or Listener()
    train_elsewhere(job, {"JAX_PLATFORMS": "cpu", **more}, str(weights), listener, listener.started)
    return listener


def _assert_same(file: Path, expected: Path) -> None:
    """Compares weights. `auto_contrast` may round a pixel in another way than the CPU, by one level."""
    with np.load(file) as ours, np.load(expected) as theirs:
        assert len(ours.files) > 10
        for name in theirs.files:
            np.testing.assert_allclose(ours[name], theirs[name], atol=1e-3)


def _ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_step_augments_as_the_reader_does_and_resumes_in_the_middle_of_an_epoch(
    records: str, tmp_path: Path, backend: str
) -> None:
    pytest.importorskip(backend)
    said = _train(_job(records, tmp_path / "cpu", backend, MIXES), tmp_path / "cpu.npz").text
    assert "augments images while they are read" in said
    job, listener = _job(records, tmp_path / "device", backend, MIXES, augment_on="device"), Listener(7)
    with pytest.raises(SystemExit) as ended:
        _train(job, tmp_path / "device.npz", listener)
    assert ended.value.code == 128 + signal.SIGTERM
    said = _train(job, tmp_path / "device.npz").text
    assert "augments images in the training step" in said
    assert "resumes in epoch 2 at step" in said
    _assert_same(tmp_path / "device.npz", tmp_path / "cpu.npz")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_each_of_two_workers_augments_its_own_images(records: str, tmp_path: Path, backend: str) -> None:
    pytest.importorskip(backend)
    _train(_job(records, tmp_path / "one", backend, FLIPS, distribution="none"), tmp_path / "one.npz")
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _ports(2)]}
    job = _job(records, tmp_path / "two", backend, FLIPS, augment_on="device")
    with ThreadPoolExecutor(2) as threads:
        texts = [
            threads.submit(
                _train,
                job,
                tmp_path / "two.npz",
                None,
                TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
            )
            for index in range(2)
        ]
        assert all("augments images in the training step" in one.result().text for one in texts)
    _assert_same(tmp_path / "two.npz", tmp_path / "one.npz")
