"""A training whose step augments the images ends with the weights of one whose reader augments them."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_training import LABELS, NETWORK, Listener, free_ports, write_images

from efficientmixnet.modules.training.train_elsewhere import train_elsewhere
from efficientmixnet.modules.training.training_job import TrainingJob

FLIPS = {"crop_scale": [0.3, 1.0], "randaugment_layers": 1}
MIXES = {**FLIPS, "mixup_alpha": 0.4, "cutmix_alpha": 1.0}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """42 training images, so that an epoch has 5 steps of 8, and 6 evaluation images."""
    return write_images(tmp_path_factory.mktemp("records"), {"train": 42, "eval": 6}, 100, 40, 20)


def _job(records: str, checkpoints: Path, backend: str, augmentation: dict[str, Any], **training: Any) -> TrainingJob:
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
        config={"network": dict(NETWORK), "training": training},
        labels=LABELS,
        class_weights=(1.0, 0.5, 2.0),
        train_files=(f"{records}/train*",),
        eval_files=(f"{records}/eval*",),
        checkpoints=str(checkpoints),
    )


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


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_step_augments_as_the_reader_does_and_resumes_in_the_middle_of_an_epoch(
    records: str, tmp_path: Path, backend: str
) -> None:
    pytest.importorskip(backend)
    said = _train(_job(records, tmp_path / "cpu", backend, MIXES), tmp_path / "cpu.npz").text
    assert "augments images while they are read" in said
    job, listener = _job(records, tmp_path / "device", backend, MIXES, augment_on="device"), Listener(7, signal.SIGTERM)
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
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
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
