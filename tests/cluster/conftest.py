"""Fixtures for tests in a real cluster: a namespace with our manifests, an object store with digits, and Trainer.

The tests use the cluster that KUBECONFIG names and the container image EFFICIENTMIXNET_IMAGE, and delete everything at
the end. They reach the cluster only through kubectl, so it can be anywhere.
"""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from efficientmixnet.pipeline.config.config import Config

HERE = Path(__file__).parent
OVERLAY = HERE.parents[1] / "kubeflow" / "manifests" / "overlays" / "training-operator"
IMAGE = os.environ.get("EFFICIENTMIXNET_IMAGE", "efficientmixnet:latest")
STORE_IMAGE = "motoserver/moto:5.1.9"
SECRET = "mlpipeline-minio-artifact"  # noqa: S105  its name
BUCKET = "minio://mlpipeline"
CODE = "/etc/test-code"  # the folder of run_functions.py in the workers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            if not os.environ.get("KUBECONFIG"):
                item.add_marker(pytest.mark.skip(reason="needs the cluster that KUBECONFIG names"))


class Namespace:
    """A namespace for the tests."""

    def __init__(self, name: str) -> None:
        self.name = name

    def kubectl(self, *arguments: str, given: Any = None, check: bool = True) -> str:
        """Runs kubectl and returns its output. `given` is an object for its standard input."""
        done = subprocess.run(  # noqa: S603
            ["kubectl", "--namespace", self.name, *arguments],  # noqa: S607
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)[:200]}: {done.stderr}")
        return done.stdout + ("" if check else done.stderr)

    def apply(self, manifest: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", given=manifest)

    def items(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        return json.loads(self.kubectl("get", kind, "-o", "json", *arguments))["items"]

    def pod(self, name: str, spec: dict[str, Any]) -> "Pod":
        """Starts a pod that never restarts."""
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}}
        self.apply({**manifest, "spec": {"restartPolicy": "Never", **spec}})
        return Pod(self, name)


class Pod:
    """A started pod."""

    def __init__(self, namespace: Namespace, name: str) -> None:
        self._namespace, self.name = namespace, name

    @property
    def status(self) -> dict[str, Any]:
        return json.loads(self._namespace.kubectl("get", "pod", self.name, "-o", "json"))["status"]

    @property
    def log(self) -> str:
        return self._namespace.kubectl("logs", self.name, check=False)

    def wait(self, seconds: float = 420) -> int:
        """Waits for the end of the pod, and returns its exit code."""
        _until(lambda: self.status["phase"] in ("Succeeded", "Failed"), seconds, lambda: self.log)
        (container,) = self.status["containerStatuses"]
        return int(container["state"]["terminated"]["exitCode"])


def _until(holds: Callable[[], Any], seconds: float, what: Callable[[], str] = str) -> Any:
    """Waits until `holds` returns something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := holds():
            return answer
        time.sleep(1)
    raise AssertionError(f"nothing after {seconds:g} s; {what()}")


@pytest.fixture(scope="session")
def namespace() -> Iterator[Namespace]:
    """A namespace with our manifests and no other rights."""
    namespace = Namespace(f"efficientmixnet-test-{uuid.uuid4().hex[:6]}")
    namespace.kubectl("create", "namespace", namespace.name)
    try:
        namespace.kubectl("apply", "-k", str(OVERLAY))
        yield namespace
    finally:
        namespace.kubectl("delete", "namespace", namespace.name, "--wait=false")


@pytest.fixture(scope="session")
def store(namespace: Namespace) -> str:
    """The address of an S3 server in the cluster."""
    keys = {"accesskey": "user", "secretkey": "password"}
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": keys})
    code = {file.name: file.read_text() for file in HERE.glob("run_functions.py")}
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "test-code"}, "stringData": code})
    ports = {"ports": [{"port": 5000}], "selector": {"app": "store"}}
    namespace.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "store"}, "spec": ports})
    server = {
        "name": "moto",
        "image": STORE_IMAGE,
        "command": ["moto_server", "--host", "0.0.0.0", "--port", "5000"],  # noqa: S104
        "env": [
            {"name": "S3_IGNORE_SUBDOMAIN_BUCKETNAME", "value": "true"}
        ],  # the host name does not contain the bucket
    }
    pod = namespace.pod("store", {"containers": [server]})
    _until(lambda: pod.status["phase"] == "Running", 120)
    return f"http://store.{namespace.name}:5000"


@pytest.fixture(scope="session")
def python(namespace: Namespace, store: str) -> Callable[..., Any]:
    """Runs a program in a pod with access to the store, and returns its last line as JSON."""

    def run(code: str, *arguments: str) -> Any:
        name = f"python-{uuid.uuid4().hex[:6]}"
        environment = {"AWS_ENDPOINT_URL": store, "AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "password"}
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        container = {
            "name": "python",
            "image": IMAGE,
            "command": ["python", "-c", code, *arguments],
            "env": [{"name": key, "value": value} for key, value in environment.items()],
        }
        pod = namespace.pod(name, {"containers": [container]})
        assert pod.wait() == 0, pod.log
        return json.loads(pod.log.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def inputs(python: Callable[..., Any]) -> dict[str, Any]:
    """Transformed digits in the store, as inputs of Trainer."""
    return python((HERE / "prepare_digits.py").read_text(), f"{BUCKET}/inputs")


class Trainer:
    """Starts the component Trainer as Kubeflow Pipelines does: with the package's command and an ExecutorInput."""

    def __init__(self, namespace: Namespace, store: str, inputs: dict[str, Any]) -> None:
        self._namespace, self._store, self._inputs = namespace, store, inputs

    def config(
        self,
        name: str,
        environment: dict[str, str],
        trainer: dict[str, Any],
        backend: Literal["tensorflow", "jax"] = "tensorflow",
    ) -> Config:
        environment = {"PYTHONPATH": CODE, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **environment}
        store = {"endpoint": self._store, "region": "us-east-1", "secret": SECRET}
        return Config.model_validate(
            {
                "name": name,
                "data": {"images": "/mnt/images/digits"},
                "network": {
                    "variant": "custom",
                    "blocks": ["r1_k3_s22_e1_i8_o8_se0.25"],
                    "stem_filters": 8,
                    "head_filters": 16,
                    "image_size": 16,
                    "dropout": 0.0,
                    "drop_connect": 0.0,
                },
                "training": {
                    "backend": backend,
                    "epochs": 10,
                    "batch_size": 32,
                    "learning_rate": 0.01,
                    "checkpoint": {"every_minutes": 0.02},
                    "augmentation": {"flip": False},
                },
                "evaluation": {"thresholds": {"accuracy": 0.5}},
                "kubeflow": {
                    "image": IMAGE,
                    "image_pull_policy": "IfNotPresent",
                    "pipeline_root": f"{BUCKET}/root",
                    "service_account": "efficientmixnet-runner",
                    "environment": environment,
                    "secrets": [{"name": "test-code", "path": CODE}],
                    "object_store": store,
                    "trainer": {"workers": 2, "job_kind": "tfjob", **trainer},
                },
            }
        )

    def start(
        self,
        run_fn: str,
        trainer: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        pipeline: str = "digits",
        name: str | None = None,
        backend: Literal["tensorflow", "jax"] = "tensorflow",
    ) -> "Component":
        """Starts a pod with our service account. Its outputs go to a new folder in the store."""
        from efficientmixnet.kubeflow.package.compile import compile_package

        config = self.config(pipeline, environment or {}, trainer or {}, backend)
        spec = compile_package(config, "oss")[0]
        name = name or f"trainer-{uuid.uuid4().hex[:6]}"
        container = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]
        invocation = json.dumps(self._invocation(spec, f"{BUCKET}/root/{name}", run_fn))
        secrets = {"AWS_ACCESS_KEY_ID": "accesskey", "AWS_SECRET_ACCESS_KEY": "secretkey"}
        fields = {"KFP_POD_NAME": "metadata.name", "KFP_POD_UID": "metadata.uid"}
        environment = [
            *container["env"],
            *(
                {"name": one, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}}
                for one, key in secrets.items()
            ),
            *({"name": one, "valueFrom": {"fieldRef": {"fieldPath": path}}} for one, path in fields.items()),
        ]
        main = {
            "name": "main",
            "image": container["image"],
            "command": [word.replace("{{$}}", invocation) for word in [*container["command"], *container["args"]]],
            "env": environment,
        }
        pod = self._namespace.pod(name, {"serviceAccountName": config.kubeflow.service_account, "containers": [main]})
        return Component(self._namespace, pod, f"{BUCKET}/root/{name}")

    def _invocation(self, spec: dict[str, Any], folder: str, run_fn: str) -> dict[str, Any]:
        task = spec["root"]["dag"]["tasks"]["Trainer"]
        component = spec["components"][task["componentRef"]["name"]]
        parameters = {key: one["runtimeValue"]["constant"] for key, one in task["inputs"]["parameters"].items()}
        outputs = component["outputDefinitions"]["artifacts"]
        return {
            "inputs": {"parameterValues": {**parameters, "run_fn": run_fn}, "artifacts": self._inputs},
            "outputs": {
                "artifacts": {
                    key: {"artifacts": [{"name": key, "uri": f"{folder}/{key}", "type": one["artifactType"]}]}
                    for key, one in outputs.items()
                },
                "outputFile": "/tmp/kfp_outputs/output_metadata.json",  # noqa: S108
            },
        }


class Component:
    """The started component Trainer."""

    def __init__(self, namespace: Namespace, pod: Pod, folder: str) -> None:
        self._namespace, self.pod, self.folder = namespace, pod, folder

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The jobs that the component has created."""
        owners = lambda job: [one["name"] for one in job["metadata"].get("ownerReferences", [])]  # noqa: E731
        return [job for job in self._namespace.items("tfjobs") if self.pod.name in owners(job)]

    def job(self, seconds: float = 60) -> str:
        """Waits for the component's job, and returns its name."""
        return str(_until(lambda: self.jobs, seconds, lambda: self.pod.log)[0]["metadata"]["name"])

    def wait_for(self, text: str, seconds: float) -> None:
        """Waits until the log has the text."""
        _until(lambda: text in self.pod.log, seconds, lambda: self.pod.log)


@pytest.fixture(scope="session")
def trainer(namespace: Namespace, store: str, inputs: dict[str, Any]) -> Trainer:
    return Trainer(namespace, store, inputs)


@pytest.fixture(scope="session")
def trainer_without_data(namespace: Namespace, store: str) -> Trainer:
    """A Trainer without data, for tests whose workers never read it."""
    uris = {name: f"{BUCKET}/inputs/{name}" for name in ("examples", "transform_graph", "schema")}
    return Trainer(namespace, store, {name: {"artifacts": [{"uri": uri}]} for name, uri in uris.items()})


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits until `holds` returns something true, and returns it."""
    return _until
