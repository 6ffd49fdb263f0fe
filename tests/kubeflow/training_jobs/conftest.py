"""Fixtures for training jobs: a recorded cluster on this machine, and the settings of a job with two workers."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from moto.server import ThreadedMotoServer

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.pipeline.config.config import Config

CONFIG: dict[str, Any] = {
    "name": "digits",
    "training": {"batch_size": 64},
    "evaluation": {"thresholds": {"accuracy": 0.5}},
    "kubeflow": {
        "image": "registry.example.com/efficientmixnet:0.1.0-gpu",
        "image_pull_policy": "IfNotPresent",
        "pipeline_root": "minio://mlpipeline/efficientmixnet",
        "service_account": "efficientmixnet-runner",
        "environment": {"PRICE": "5$(HOME)"},
        "secrets": [
            {"name": "tracking", "environment": {"address": "TRACKING_ADDRESS"}},
            {"name": "authority", "path": "/etc/authority"},
        ],
        "volumes": [{"claim": "images", "path": "/mnt/images", "sub_path": "team"}],
        "object_store": {"endpoint": "http://minio:9000", "region": "minio", "secret": "mlpipeline-minio-artifact"},
        "pod": {"cpu": 1, "memory": "2Gi"},
        "trainer": {
            "workers": 2,
            "job_kind": "tfjob",
            "gpus": 4,
            "cpu": 16,
            "memory": "64G",
            "shared_memory": "8Gi",
            "node_selector": {"pool": "gpu"},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
            "timeout_seconds": 86400,
        },
    },
}


@pytest.fixture
def changed() -> Callable[..., Config]:
    """Makes a configuration with other keys in kubeflow.trainer and in other sections."""

    def change(trainer: dict[str, Any], **sections: dict[str, Any]) -> Config:
        values = {**CONFIG, **{name: {**CONFIG.get(name, {}), **section} for name, section in sections.items()}}
        values["kubeflow"] = {**values["kubeflow"], "trainer": {**CONFIG["kubeflow"]["trainer"], **trainer}}
        return Config.model_validate(values)

    return change


@pytest.fixture
def settings() -> JobSettings:
    found = JobSettings.of(Config.model_validate(CONFIG).kubeflow, "digits")
    assert found
    return found


@pytest.fixture(scope="session")
def recorded_cluster() -> Any:
    """The module recorded_cluster.py."""
    spec = importlib.util.spec_from_file_location("recorded_cluster", Path(__file__).parent / "recorded_cluster.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their module there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recorded(recorded_cluster: Any) -> Callable[..., dict[str, Any]]:
    """Returns a recorded job and its pods."""
    return recorded_cluster.recorded


@pytest.fixture
def cluster(recorded_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster with recorded answers. KUBECONFIG names it."""
    cluster = recorded_cluster.RecordedCluster()
    monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    yield cluster
    cluster.stop()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An object store with one file of examples. The environment names it."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "u", "AWS_SECRET_ACCESS_KEY": "p"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)  # earlier servers in this process share its state
    object_store._open("minio://mlpipeline")[0].mkdir("mlpipeline")
    object_store.write_text("minio://mlpipeline/root/examples/Split-train/a.gz", "images")
    yield
    server.stop()
