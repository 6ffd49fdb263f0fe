"""Fixtures for tests/kubeflow: a configuration and its package, an S3 server, a recording server, and a clock."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import fsspec
import pytest
import yaml
from moto.server import ThreadedMotoServer

from efficientmixnet.pipeline.config.config import Config

GOLDEN = Path(__file__).parent / "digits_package.yaml"

CONFIG: dict[str, Any] = {
    "name": "digits",
    "data": {"images": "/mnt/images/digits"},
    "network": {
        "variant": "custom",
        "blocks": ["r1_k3_s22_e1_i8_o8_se0.25", "r1_k3.5_s22_e2_i8_o16_se0.25"],
        "stem_filters": 8,
        "head_filters": 32,
        "image_size": 16,
        "drop_connect": 0.0,
    },
    "training": {"epochs": 4, "batch_size": 32, "learning_rate": 0.01, "augmentation": {"flip": False}},
    "evaluation": {"thresholds": {"accuracy": 0.5}},
    "kubeflow": {
        "image": "registry.example.com/efficientmixnet:0.1.0",
        "pipeline_root": "minio://mlpipeline/efficientmixnet",
        "checkpoints": "/mnt/images/checkpoints",
        "environment": {"TF_CPP_MIN_LOG_LEVEL": "2"},
        "secrets": [
            {"name": "tracking", "environment": {"address": "TRACKING_ADDRESS"}},
            {"name": "authority", "path": "/etc/authority"},
        ],
        "volumes": [{"claim": "images", "path": "/mnt/images", "sub_path": "team"}],
        "object_store": {
            "endpoint": "http://minio-service.kubeflow:9000",
            "region": "minio",
            "secret": "mlpipeline-minio-artifact",
        },
        "pod": {"cpu": "500m", "memory": "2Gi"},
        "image_example_gen": {"cpu": 4, "memory": "8G", "timeout_seconds": 3600},
        "trainer": {
            "gpus": 4,
            "cpu": 16,
            "memory": "64G",
            "shared_memory": "8Gi",
            "node_selector": {"pool": "gpu"},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        },
    },
}


class Store:
    """An S3 server on this machine. Its buckets are in memory, and survive `end` and `begin`."""

    def __init__(self) -> None:
        self._port = 0
        self.begin()

    def begin(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def end(self) -> None:
        self._server.stop()
        self._server._server.server_close()  # moto leaves the socket open, and connections would hang

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which a container finds the server."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "user",
            "AWS_SECRET_ACCESS_KEY": "password",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@pytest.fixture(scope="session")
def store_server() -> Iterator[Store]:
    server = Store()
    yield server
    server.end()


@pytest.fixture
def store(store_server: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of an empty bucket. The environment names its server."""
    for name, value in store_server.environment.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    bucket = boto3.resource("s3").Bucket("runs")
    bucket.create()
    bucket.objects.delete()
    return "minio://runs"


@pytest.fixture(scope="session")
def config() -> Config:
    return Config.model_validate(CONFIG)


@pytest.fixture(scope="session")
def package(config: Config) -> list[dict[str, Any]]:
    """The documents of the configuration's package, compiled by TFX."""
    from efficientmixnet.kubeflow.package.compile import compile_package

    return compile_package(config, "oss")


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which wait_for_answer measures time and sleeps."""
    clock = Clock()
    for module in ("efficientmixnet.kubeflow.wait_for_answer", "tenacity", "tenacity.nap"):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


@pytest.fixture
def golden_file() -> Path:
    """The package that TFX compiles from the configuration. TFX 1.16 and 1.21 differ only in `sdkVersion`."""
    return GOLDEN


@pytest.fixture
def golden() -> list[dict[str, Any]]:
    """The golden file's documents, for tests that need a package and no compiler."""
    return list(yaml.safe_load_all(GOLDEN.read_text()))


def _module(name: str) -> Any:
    """A module in this folder."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their module there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def recording_server() -> Any:
    """The module recording_server.py."""
    return _module("recording_server")


@pytest.fixture(scope="session")
def schema_problems() -> Callable[[dict[str, Any]], list[str]]:
    """Returns what the published schema of a resource does not allow in a manifest."""
    return _module("published_schemas").problems


@pytest.fixture
def server(recording_server: Any) -> Iterator[Any]:
    """A server that answers as Kubeflow Pipelines does, and records all requests."""
    server = recording_server.RecordingServer()
    yield server
    server.stop()


@pytest.fixture
def run(recording_server: Any) -> Callable[..., dict[str, Any]]:
    """Makes the server's description of a run from its state and the states of its tasks."""
    return recording_server.run
