"""Several devices or workers train the same weights as one device, and a lost worker is reported."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_training import free_ports, write_images

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.distribution.distribution import Distribution, choose_distribution, why_no_gpu
from efficientmixnet.modules.distribution.lost_workers import EXIT_WORKER_LOST
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.training_job import TrainingJob

PROGRAM = str(Path(__file__).with_name("distributed_training.py"))
WORKERS = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


class FourDevices:
    num_replicas_in_sync = 4


FOUR = Distribution(FourDevices(), "four of them")


def test_batch_size_counts_the_images_of_all_devices_or_of_each() -> None:
    assert FOUR.batch_size(TrainingConfig(batch_size=32), 1000) == 32
    assert FOUR.batch_size(TrainingConfig(batch_size=32, batch_scope="replica"), 1000) == 128


def test_a_batch_has_at_most_all_images_and_splits_evenly() -> None:
    assert FOUR.batch_size(TrainingConfig(batch_size=64), 27) == 24


def test_a_batch_that_does_not_split_evenly_is_refused_with_the_nearest_that_do() -> None:
    with pytest.raises(BadInput, match=r"training\.batch_size: 30 images .* 4 devices; give 28 or 32"):
        FOUR.batch_size(TrainingConfig(batch_size=30), 1000)
    with pytest.raises(BadInput, match=r"give 4$"):
        FOUR.batch_size(TrainingConfig(batch_size=3), 1000)


def test_a_step_of_several_devices_has_the_images_of_all_accumulated_batches() -> None:
    accumulating = TrainingConfig(batch_size=32, accumulation_steps=3)
    assert FOUR.batch_size(accumulating, 1000) == 96
    assert FOUR.batch_size(accumulating, 50) == 48  # three batches of four images for each device
    assert choose_distribution("none").batch_size(accumulating, 1000) == 32


def test_fewer_images_than_devices_are_refused() -> None:
    with pytest.raises(BadInput, match=r"training\.distribution: 3 images are too few for 4 devices; use fewer"):
        FOUR.batch_size(TrainingConfig(batch_size=8), 3)
    with pytest.raises(BadInput, match=r"7 images are too few for 4 devices with 2 training\.accumulation_steps"):
        FOUR.batch_size(TrainingConfig(batch_size=8, accumulation_steps=2), 7)


@pytest.mark.parametrize(("rule", "expected"), [("linear", 0.4), ("sqrt", 0.2), ("none", 0.1)])
def test_the_learning_rate_grows_with_the_number_of_devices(rule: str, expected: float) -> None:
    training = TrainingConfig(learning_rate=0.1, learning_rate_scaling=rule, batch_scope="replica")
    assert FOUR.learning_rate(training) == pytest.approx(expected)
    assert FOUR.learning_rate(training.model_copy(update={"batch_scope": "global"})) == 0.1


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(BadInput, match=r"training\.distribution: 'tpu' is not one of auto, none"):
        choose_distribution("tpu")


def test_without_gpus_and_workers_the_cpu_trains_and_is_reported() -> None:
    chosen = choose_distribution("auto")
    assert (chosen.replicas, chosen.workers, chosen.is_chief) == (1, 1, True)
    assert "CPU" in chosen.reason


def test_an_unused_gpu_is_reported_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_no_gpu([]) == "because this machine has no GPU"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert re.fullmatch("because .* /dev/nvidia0: .* CUDA_VISIBLE_DEVICES hides it", why_no_gpu(["/dev/nvidia0"]))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert "CUDA" in why_no_gpu(["/dev/nvidia0"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "multi_worker needs the environment variable TF_CONFIG"),
        ("{", "TF_CONFIG: is not JSON"),
        ({"cluster": {"worker": "10.0.0.1:2222"}}, r"TF_CONFIG: cluster\.worker: give a list of addresses"),
        ({"cluster": {"worker": ["10.0.0.1"]}}, r"TF_CONFIG: cluster\.worker: give a list of addresses"),
        ({"cluster": {**WORKERS, "ps": ["10.0.0.3:2222"]}}, "TF_CONFIG: cluster: give only the list worker"),
        ({"cluster": WORKERS}, r"TF_CONFIG: task\.type: None is not one of worker"),
        ({"cluster": WORKERS, "task": {"type": "chief", "index": 0}}, r"task\.type: 'chief' is not one of worker"),
        (
            {"cluster": WORKERS, "task": {"type": "worker", "index": 2}},
            r"task\.index: 2 is not an index of cluster\.worker of 2",
        ),
    ],
)
def test_a_wrong_tf_config_is_refused_with_its_key(
    config: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if config is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(BadInput, match=message):
        choose_distribution("multi_worker")


def test_a_worker_that_does_not_start_in_time_is_named_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": addresses}, "task": task}))
    with pytest.raises(BadInput, match=f"TF_CONFIG: the worker at {addresses[1]} did not start within 0.01 minutes"):
        choose_distribution("auto", worker_timeout=0.01)


def test_jax_with_multi_worker_needs_the_variables_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax")
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(BadInput, match=r"multi_worker needs .* COORDINATOR_ADDRESS, .* of a JAXJob, .* or TF_CONFIG"):
        choose_distribution("multi_worker")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """43 training images, so that an epoch has 5 steps of 8, and 13 evaluation images, a prime number."""
    return write_images(tmp_path_factory.mktemp("records"), {"train": 43, "eval": 13}, 0, 80, 60)


def _start(kind: str, norm: str, records: str, output: Path, stop: object = 0, **environment: str) -> subprocess.Popen:
    words = [sys.executable, PROGRAM, kind, norm, records, str(output), *str(stop).split()]
    everything = {**os.environ, "KERAS_BACKEND": "tensorflow", **environment}
    return subprocess.Popen(words, env=everything, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603


def _start_workers(
    norm: str, records: str, output: Path, stops: tuple[object, object] = (0, 0)
) -> list[subprocess.Popen]:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}) for index in range(2)]
    return [
        _start("multi_worker", norm, records, output, stop, TF_CONFIG=config)
        for config, stop in zip(configs, stops, strict=True)
    ]


def _ended(process: subprocess.Popen) -> str:
    out, _ = process.communicate()
    assert process.returncode == 0, out[-3000:]
    return out


def _result(output: Path) -> tuple[list[np.ndarray], list[dict[str, float]]]:
    with np.load(f"{output}.npz") as arrays:
        return [arrays[name] for name in arrays.files], json.loads(Path(f"{output}.json").read_text())


def _assert_same(output: Path, expected: Path) -> None:
    (weights, logs), (expected_weights, expected_logs) = _result(output), _result(expected)
    for one, other in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    for epoch, expected_epoch in zip(logs, expected_logs, strict=True):
        assert epoch == pytest.approx(expected_epoch, abs=1e-5)


def test_more_workers_than_images_to_evaluate_are_refused(records: str) -> None:
    fourteen = Distribution(type("Fourteen", (), {"num_replicas_in_sync": 14})(), "", workers=14)
    files = {"train_files": (f"{records}/train*",), "eval_files": (f"{records}/eval*",)}
    job = TrainingJob(config=ModelConfig(), labels=("one", "other"), checkpoints="", **files)
    with pytest.raises(BadInput, match=r"training\.distribution: 13 images to evaluate are too few for 14 workers"):
        job.data(fourteen)


@pytest.fixture(scope="module", params=["bn", "an", "iebn"])
def one_device(
    request: pytest.FixtureRequest, records: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Returns the norm, and the results of one device after 20 steps."""
    output = tmp_path_factory.mktemp("one_device") / request.param
    _ended(_start("none", request.param, records, output))
    return request.param, output


@pytest.mark.slow
def test_two_devices_of_one_machine_train_the_weights_of_one(
    one_device: tuple[str, Path], records: str, tmp_path: Path
) -> None:
    norm, expected = one_device
    assert "mirrored on CPU:0, CPU:1" in _ended(_start("mirrored", norm, records, tmp_path / "two"))
    _assert_same(tmp_path / "two", expected)


@pytest.mark.slow
def test_two_workers_train_the_weights_of_one_device_and_only_the_chief_saves(
    one_device: tuple[str, Path], records: str, tmp_path: Path
) -> None:
    norm, expected = one_device
    chief, other = _start_workers(norm, records, tmp_path / "run")
    assert "worker 1 of 2" in _ended(chief)
    assert "worker 2 of 2" in _ended(other)
    for worker in range(2):
        _assert_same(tmp_path / f"run-{worker}", expected)
    assert len(list((tmp_path / "run").glob("epoch-*.npz"))) <= 3


@pytest.mark.slow
def test_two_workers_accumulate_the_gradients_of_one_device(records: str, tmp_path: Path) -> None:
    two_batches = "0 9 2"
    _ended(_start("none", "bn", records, tmp_path / "one_device", two_batches))
    for worker in _start_workers("bn", records, tmp_path / "run", stops=(two_batches, two_batches)):
        _ended(worker)
    _assert_same(tmp_path / "run-0", tmp_path / "one_device")


@pytest.mark.slow
def test_a_lost_worker_is_reported_and_a_retry_ends_with_the_same_weights(
    one_device: tuple[str, Path], records: str, tmp_path: Path
) -> None:
    norm, expected = one_device
    chief, other = _start_workers(norm, records, tmp_path / "run", stops=(0, 12))
    other.wait()
    died = time.monotonic()
    out, _ = chief.communicate()
    assert time.monotonic() - died < 60
    assert chief.returncode == EXIT_WORKER_LOST >= 128, out[-3000:]
    assert "one of the 2 workers ended" in out
    for worker in _start_workers(norm, records, tmp_path / "run"):
        assert re.search("resumes in epoch 3 at step [123] of 5", _ended(worker))
    _assert_same(tmp_path / "run-0", expected)


@pytest.mark.slow
def test_a_killed_and_stopped_training_ends_with_exactly_the_weights_of_one_never_stopped(
    records: str, tmp_path: Path
) -> None:
    _ended(_start("none", "bn", records, tmp_path / "whole"))
    killed = _start("none", "bn", records, tmp_path / "stopped", stop=f"8 {signal.SIGKILL:d}")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    stopped = _start("none", "bn", records, tmp_path / "stopped", stop=f"4 {signal.SIGTERM:d}")
    out, _ = stopped.communicate()
    assert "resumes in epoch 2 at step 4 of 5" in out
    assert stopped.returncode == 128 + signal.SIGTERM
    assert "SIGTERM: the training is saved" in out
    assert "resumes in epoch 3 at step " in _ended(_start("none", "bn", records, tmp_path / "stopped"))
    (weights, logs), (expected_weights, expected_logs) = _result(tmp_path / "stopped"), _result(tmp_path / "whole")
    for one, other in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for epoch, expected_epoch in zip(logs, expected_logs, strict=True):
        assert epoch == pytest.approx(expected_epoch, rel=1e-6)
