"""Several JAX devices or processes train the same weights as one device, and a lost process is reported."""

import re
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tiny_training import LABELS, NETWORK, Listener, free_ports, write_images

from efficientmixnet.modules.distribution.jax_cluster import JaxCluster
from efficientmixnet.modules.distribution.jax_devices import connect
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.train_elsewhere import train_elsewhere
from efficientmixnet.modules.training.training_job import TrainingJob

pytest.importorskip("jax")
RETRY = 129


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """43 training images, so that an epoch has 5 steps of 8, and 13 evaluation images, a prime number."""
    return write_images(tmp_path_factory.mktemp("records"), {"train": 43, "eval": 13}, 0, 80, 60)


def _job(records: str, checkpoints: Path, norm: str = "bn", distribution: str = "auto") -> TrainingJob:
    network = {**NETWORK, "norm": {"kind": norm, "n_mixture": 2}}
    training = {
        "backend": "jax",
        "epochs": 4,
        "batch_size": 8,
        "learning_rate": 0.05,
        "optimizer": {"name": "lookahead", "inner": {"name": "sgd", "momentum": 0.9}},
        "distribution": distribution,
        "sharding": "records",
        "worker_timeout": 3,
        "checkpoint": {"every_minutes": 1e-9},
        "augmentation": {"crop_scale": None},
    }
    return TrainingJob(
        config={"network": network, "training": training},
        labels=LABELS,
        train_files=(f"{records}/train*",),
        eval_files=(f"{records}/eval*",),
        checkpoints=str(checkpoints),
    )


def _train(job: TrainingJob, weights: Path, devices: int = 1, listener: Listener | None = None, **more: str) -> dict:
    listener = listener or Listener()
    environment = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}", "JAX_PLATFORMS": "cpu", **more}
    return train_elsewhere(job, environment, str(weights), listener, listener.started)


def _train_two(job: TrainingJob, weights: Path, listeners: Sequence[Listener]) -> list[Future]:
    """Trains with two processes, as a TrainJob of Kubeflow Trainer 2 starts them."""
    common = {"JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{free_ports(1)[0]}", "JAX_NUM_PROCESSES": "2"}
    threads = ThreadPoolExecutor(2)
    futures = [
        threads.submit(_train, job, weights / f"{index}.npz", 1, listener, **common, JAX_PROCESS_ID=str(index))
        for index, listener in enumerate(listeners)
    ]
    threads.shutdown(wait=False)
    return futures


def _weights(file: Path) -> list[np.ndarray]:
    with np.load(file) as arrays:
        return [arrays[name] for name in arrays.files]


def _assert_same(file: Path, expected: Path) -> None:
    for one, other in zip(_weights(file), _weights(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.fixture(scope="module", params=["bn", "an", "iebn"])
def one_device(
    request: pytest.FixtureRequest, records: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Mapping[str, float]]:
    """Returns the norm, and the weights and logs of one device after 20 steps."""
    folder = tmp_path_factory.mktemp("one_device")
    logs = _train(_job(records, folder / "checkpoints", request.param, "none"), folder / "one.npz")
    return request.param, folder / "one.npz", logs


@pytest.mark.slow
@pytest.mark.parametrize("devices", [2, 8])
def test_several_devices_of_one_machine_train_the_weights_of_one(
    one_device: tuple[str, Path, Mapping[str, float]], records: str, tmp_path: Path, devices: int
) -> None:
    norm, expected, expected_logs = one_device
    listener = Listener()
    logs = _train(_job(records, tmp_path / "checkpoints", norm), tmp_path / "several.npz", devices, listener)
    assert f"with JAX on {devices} x cpu" in listener.text
    _assert_same(tmp_path / "several.npz", expected)
    assert logs == pytest.approx(expected_logs, abs=1e-4)


@pytest.mark.slow
def test_two_processes_train_the_weights_of_one_device_and_only_the_first_writes(
    one_device: tuple[str, Path, Mapping[str, float]], records: str, tmp_path: Path
) -> None:
    norm, expected, expected_logs = one_device
    listeners = [Listener(), Listener()]
    futures = _train_two(_job(records, tmp_path / "checkpoints", norm), tmp_path, listeners)
    for future in futures:
        assert future.result() == pytest.approx(expected_logs, abs=1e-4)
    for index, listener in enumerate(listeners):
        assert f"with JAX, worker {index + 1} of 2, 2 devices in total" in listener.text
    _assert_same(tmp_path / "0.npz", expected)
    assert not (tmp_path / "1.npz").exists()
    assert len(list((tmp_path / "checkpoints").glob("epoch-*.npz"))) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_lost_process_is_reported_and_a_retry_ends_with_the_same_weights(
    records: str, tmp_path: Path, number: int
) -> None:
    _train(_job(records, tmp_path / "alone", distribution="none"), tmp_path / "one.npz")
    job, listeners = _job(records, tmp_path / "checkpoints"), [Listener(), Listener(12, number)]
    first, second = _train_two(job, tmp_path, listeners)
    with pytest.raises(SystemExit if number == signal.SIGTERM else RuntimeError):
        second.result()
    died = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        first.result()
    assert ended.value.code == RETRY
    assert time.monotonic() - died < 150
    assert re.search(r"(another|one of the 2) workers? ended", listeners[0].text)
    listeners = [Listener(), Listener()]
    for future in _train_two(job, tmp_path, listeners):
        future.result()
    assert re.search(r"resumes in epoch \d at step \d of 5", listeners[0].text)
    _assert_same(tmp_path / "0.npz", tmp_path / "one.npz")


@pytest.mark.slow
def test_several_devices_resume_after_sigterm(records: str, tmp_path: Path) -> None:
    _train(_job(records, tmp_path / "alone", distribution="none"), tmp_path / "one.npz")
    job, listener = _job(records, tmp_path / "checkpoints"), Listener(8, signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        _train(job, tmp_path / "two.npz", 2, listener)
    assert ended.value.code == 128 + signal.SIGTERM
    assert "SIGTERM: the training is saved" in listener.text
    _train(job, tmp_path / "two.npz", 2, listener)
    assert "resumes in epoch 2 at step" in listener.text
    _assert_same(tmp_path / "two.npz", tmp_path / "one.npz")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        # as the Training Operator sets them for a JAXJob (pkg/controller.v1/jax/envvar.go)
        (
            {
                "COORDINATOR_ADDRESS": "job-worker-0",
                "COORDINATOR_PORT": "6666",
                "NUM_PROCESSES": "4",
                "PROCESS_ID": "3",
            },
            JaxCluster("job-worker-0:6666", 4, 3),
        ),
        # as Kubeflow Trainer 2 sets them for a TrainJob with the JAX runtime
        (
            {
                "JAX_COORDINATOR_ADDRESS": "job-node-0-0.job:29500",
                "JAX_COORDINATOR_PORT": "29500",
                "JAX_NUM_PROCESSES": "2",
                "JAX_PROCESS_ID": "0",
            },
            JaxCluster("job-node-0-0.job:29500", 2, 0),
        ),
        (
            {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}'},
            JaxCluster("a:1", 2, 1),
        ),
        ({"JAX_COORDINATOR_ADDRESS": "", "JAX_NUM_PROCESSES": ""}, None),
    ],
)
def test_the_cluster_is_read_from_the_variables_of_each_kind_of_job(
    variables: dict[str, str], expected: JaxCluster | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert JaxCluster.of("auto") == expected
    assert JaxCluster.of("none") is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"JAX_NUM_PROCESSES": "two"}, "JAX_NUM_PROCESSES: 'two' is not a whole number from 1"),
        ({"JAX_PROCESS_ID": "2"}, "JAX_PROCESS_ID: 2 is not less than JAX_NUM_PROCESSES, which is 2"),
        ({"JAX_PROCESS_ID": ""}, "JAX_PROCESS_ID: '' is not a whole number from 0"),
        ({"JAX_COORDINATOR_ADDRESS": "host"}, "JAX_COORDINATOR_PORT: '' is not a whole number from 1"),
    ],
)
def test_a_wrong_variable_is_refused_with_its_name(
    changed: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"JAX_COORDINATOR_ADDRESS": "host:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "0", **changed}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=message):
        JaxCluster.from_environment()


@pytest.mark.slow
def test_a_process_whose_first_one_does_not_start_is_told_its_address(records: str, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    job = _job(records, tmp_path)
    training = job.config.training.model_copy(update={"worker_timeout": 0.01})
    job = job.model_copy(update={"config": job.config.model_copy(update={"training": training})})
    variables = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "1"}
    with pytest.raises(BadInput, match=rf"the first worker, at {address}, did not start within 0\.01 minutes"):
        _train(job, tmp_path / "one.npz", **variables)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("worker.invalid", r"the name of this machine, worker\.invalid, has no address\. Add the name with"),
        ("localhost", r"localhost, has the address (127\.0\.0\.1|::1), which other machines cannot reach"),
        ("127.0.1.1", r"has the address 127\.0\.1\.1, which other machines cannot reach"),
        ("::1", r"has the address ::1, which other machines cannot reach"),
    ],
)
def test_a_machine_that_others_cannot_find_by_its_name_is_refused(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    with pytest.raises(BadInput, match=message):
        connect(JaxCluster("192.0.2.1:29500", 2, 0), 0.01)  # an address for documentation (RFC 5737)
