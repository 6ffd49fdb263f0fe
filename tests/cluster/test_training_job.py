"""The component Trainer in a real cluster: many pods train one model, also when pods are lost."""

import os
import shlex
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.task import Task

pytestmark = pytest.mark.timeout(900)

TRAIN = "run_functions.train_and_keep_weights"
TAKE_LONG = "run_functions.take_long"
WEIGHTS = """
import json, sys, tempfile
import numpy as np
from efficientmixnet.kubeflow.store import object_store
folder = tempfile.mkdtemp()
loaded = []
for number, place in enumerate(sys.argv[1:]):
    object_store.download(place, f"{folder}/{number}.npz")
    with np.load(f"{folder}/{number}.npz") as content:
        loaded.append([content[name] for name in content.files])
assert len(loaded[0]) > 5 and all(np.isfinite(one).all() for one in loaded[0])
print(json.dumps([max(float(abs(a - b).max()) for a, b in zip(loaded[0], one)) for one in loaded[1:]]))
"""
FILES = """
import json, sys
from efficientmixnet.kubeflow.store import object_store
print(json.dumps([file.name for file in object_store.files(sys.argv[1])]))
"""

WAIT = """
from efficientmixnet.kubeflow.training_jobs.cluster_job import ClusterJob
from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob
count = ["python", "-uc", "import time; [(print('second', n), time.sleep(1)) for n in range(1, 121)]"]
ClusterJob(KubernetesApi(), TFJob(), JobSettings.from_environment(), "0123456789", count).run()
"""


def _weights(component: Any, worker: int) -> str:
    return f"minio://mlpipeline/weights/{component.job()}/{worker}.npz"


@pytest.fixture(scope="module")
def undisturbed(trainer: Any) -> Any:
    """A training with two workers and without failures."""
    component = trainer.start(TRAIN)
    assert component.pod.wait() == 0, component.pod.log
    return component


def test_two_workers_end_with_the_same_weights(undisturbed: Any, python: Callable[..., Any]) -> None:
    assert python(WEIGHTS, _weights(undisturbed, 0), _weights(undisturbed, 1)) == [0.0]


def test_the_model_is_in_the_components_folder_once(undisturbed: Any, python: Callable[..., Any]) -> None:
    files = python(FILES, undisturbed.folder)
    assert [name for name in files if name.endswith("saved_model.pb")] == ["model/Format-Serving/saved_model.pb"]
    assert any(name.startswith("model_run/") and "events.out.tfevents" in name for name in files)
    assert not [name for name in files if name.startswith("checkpoints/")]  # deleted after the model was delivered


def test_the_component_shows_the_first_workers_log(undisturbed: Any) -> None:
    assert undisturbed.pod.log.count("epoch 10 is done") == 1
    assert "worker 1 of 2 in TF_CONFIG, 2 devices in total" in undisturbed.pod.log


def test_a_deleted_worker_restarts_and_the_weights_are_the_same(
    trainer: Any, namespace: Any, undisturbed: Any, python: Callable[..., Any]
) -> None:
    component = trainer.start(TRAIN)
    component.wait_for("epoch 3 is done", 240)
    namespace.kubectl("delete", "pod", f"{component.job()}-worker-1", "--wait=false")
    assert component.pod.wait() == 0, component.pod.log
    assert "worker 1 restarts from the last checkpoint" in component.pod.log
    assert "resumes in epoch" in component.pod.log
    (difference,) = python(WEIGHTS, _weights(undisturbed, 0), _weights(component, 0))
    assert difference < 1e-5


def test_two_workers_train_with_jax(trainer: Any, namespace: Any, python: Callable[..., Any]) -> None:
    component = trainer.start("efficientmixnet.modules.trainer.run_fn", backend="jax")
    assert component.pod.wait() == 0, component.pod.log
    assert "with JAX, worker 1 of 2, 2 devices in total" in component.pod.log
    assert "model/Format-Serving/saved_model.pb" in python(FILES, component.folder)


def test_a_training_with_jax_goes_on_after_a_deleted_worker(trainer: Any, namespace: Any) -> None:
    component = trainer.start("run_functions.train_with_frequent_progress", backend="jax")
    component.wait_for("epoch 3/10", 240)
    namespace.kubectl("delete", "pod", f"{component.job()}-worker-1", "--wait=false")
    assert component.pod.wait() == 0, component.pod.log
    assert "resumes in epoch" in component.pod.log


def test_a_failed_training_is_an_error_with_the_workers_last_lines(trainer: Any) -> None:
    component = trainer.start("run_functions.fail")
    assert component.pod.wait() == 1
    error = component.pod.log.partition("error: ")[2]
    assert f"TFJob {component.job()}: worker" in error
    assert "failed with exit code 1; its last lines:" in error
    assert "the last line before the error" in error
    assert "the images are all blue" in error


def test_a_cancelled_component_deletes_its_job_at_once(trainer: Any, namespace: Any, until: Any) -> None:
    component = trainer.start(TAKE_LONG, environment={"SECONDS_TO_TAKE": "600"})
    job = component.job()
    selector = f"training.kubeflow.org/job-name={job}"
    until(lambda: len(namespace.items("pods", "-l", selector)) == 2, 60)
    namespace.kubectl("delete", "pod", component.pod.name, "--wait=false")
    until(lambda: job not in [one["metadata"]["name"] for one in namespace.items("tfjobs")], 25)
    until(lambda: not namespace.items("pods", "-l", selector), 60)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [({"gpus": 16}, "nvidia.com/gpu"), ({"node_selector": {"pool": "none-has-this"}}, "selector")],
)
def test_workers_without_a_node_are_reported_at_once_and_fail_the_job_later(
    trainer_without_data: Any, asked: dict[str, Any], reason: str
) -> None:
    began = time.monotonic()
    component = trainer_without_data.start(TAKE_LONG, {**asked, "scheduling_minutes": 0.5}, {"SECONDS_TO_TAKE": "1"})
    component.wait_for("worker 0 cannot start: ", 60)
    assert reason in component.pod.log
    assert component.pod.wait(120) == 1
    assert (
        "only 0 of 2 workers had started after 0.5 minutes (kubeflow.trainer.scheduling_minutes)" in component.pod.log
    )
    assert component.jobs == []
    assert time.monotonic() - began < 150


def test_a_long_name_is_shortened_and_a_taken_name_is_skipped(trainer_without_data: Any, namespace: Any) -> None:
    folder = "minio://mlpipeline/root/trainer-with-a-taken-name"
    task = Task({"outputs": {"artifacts": {"model": {"artifacts": [{"uri": f"{folder}/model"}]}}}}, None)
    first = f"{'digits' * 10}"[: 63 - len(f"-{task.identity}-worker-1")] + f"-{task.identity}"
    container = {"name": "tensorflow", "image": "busybox", "command": ["sleep", "600"]}
    worker = {"replicas": 1, "template": {"spec": {"containers": [container], "nodeSelector": {"no": "such-node"}}}}
    metadata = {"name": first, "annotations": {"efficientmixnet/task": "somebody else's"}}
    job = {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "metadata": metadata}
    namespace.apply({**job, "spec": {"tfReplicaSpecs": {"Worker": worker}}})
    component = trainer_without_data.start(
        TAKE_LONG, {"gpus": 16}, {"SECONDS_TO_TAKE": "1"}, "digits" * 10, name=folder.rpartition("/")[2]
    )
    made = component.job()
    assert (len(f"{made}-worker-1"), made.endswith(f"-{task.identity}-2")) == (63, True)
    component.wait_for("worker 1 cannot start: ", 60)  # so the cluster accepted the pod's name
    namespace.kubectl("delete", "pod", component.pod.name)
    namespace.kubectl("delete", "tfjob", first)


def test_two_runs_at_once_do_not_disturb_each_other(trainer: Any, python: Callable[..., Any]) -> None:
    components = [trainer.start(TAKE_LONG, environment={"SECONDS_TO_TAKE": "20"}) for _ in range(2)]
    assert [one.pod.wait() for one in components] == [0, 0], [one.pod.log for one in components]
    assert components[0].job() != components[1].job()
    for one in components:
        assert "model/Format-Serving/saved_model.pb" in python(FILES, one.folder)


@pytest.mark.skipif(
    not os.environ.get("API_SERVER_PAUSE"), reason="needs API_SERVER_PAUSE and API_SERVER_GO_ON, see docs/kubeflow.md"
)
def test_training_continues_while_the_api_server_is_stopped_for_a_minute(
    trainer_without_data: Any, namespace: Any, until: Any
) -> None:
    """A pod runs only the part of the component that waits for the job. The workers only count."""
    kubeflow = trainer_without_data.config("digits", {}, {}).kubeflow
    settings = JobSettings.of(kubeflow, "digits")
    assert settings
    environment = [{"name": name, "value": value} for name, value in settings.to_environment().items()]
    container = {"name": "main", "image": kubeflow.image, "command": ["python", "-uc", WAIT], "env": environment}
    pod = namespace.pod("waits", {"serviceAccountName": kubeflow.service_account, "containers": [container]})
    until(lambda: "second 3" in pod.log, 60, lambda: pod.log)
    try:
        subprocess.run(shlex.split(os.environ["API_SERVER_PAUSE"]), check=True)  # noqa: S603
        time.sleep(60)
    finally:
        subprocess.run(shlex.split(os.environ["API_SERVER_GO_ON"]), check=True)  # noqa: S603
    assert pod.wait() == 0, pod.log
    assert "the API server answers again after " in pod.log
    assert [line for line in pod.log.splitlines() if line.startswith("second")] == [
        f"second {n}" for n in range(1, 121)
    ]


def test_the_service_account_has_only_the_necessary_rights(namespace: Any, store: str) -> None:
    account = f"system:serviceaccount:{namespace.name}:efficientmixnet-runner"

    def may(*what: str) -> bool:
        return namespace.kubectl("auth", "can-i", *what, "--as", account, check=False).strip().startswith("yes")

    log, execute = "--subresource=log", "--subresource=exec"
    needed = "create tfjobs, get tfjobs, delete tfjobs, list pods, get pods, get pods " + log
    too_much = (
        "list secrets, get secrets/test-code, create pods, delete pods, list tfjobs, update tfjobs, patch tfjobs, "
        "get configmaps, create rolebindings, create pods " + execute
    )
    assert [what for what in needed.split(", ") if not may(*what.split())] == []
    assert [what for what in too_much.split(", ") if may(*what.split())] == []
