"""The TrainJob fits the published models of Kubeflow Trainer 2. The tests have no server of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubeflow_trainer_api import models

from efficientmixnet.kubeflow.training_jobs import worker
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob
from efficientmixnet.kubeflow.training_jobs.trainjob import TrainJob
from efficientmixnet.modules.distribution.cluster import Cluster
from efficientmixnet.modules.distribution.jax_cluster import VARIABLES, JaxCluster

RUNTIME = Path(__file__).parents[3] / "kubeflow/manifests/overlays/kubeflow-trainer/training-runtime.yaml"


@pytest.fixture
def manifest(settings: JobSettings) -> dict[str, Any]:
    return TrainJob().manifest("digits-1", settings, ["train"])


@pytest.fixture
def runtime() -> dict[str, Any]:
    return yaml.safe_load(RUNTIME.read_text())


def test_the_job_has_only_keys_of_its_model(manifest: dict[str, Any]) -> None:
    assert json.loads(models.TrainerV1alpha1TrainJob.from_dict(manifest).to_json()) == manifest


def test_the_job_and_the_runtime_follow_the_published_schemas(
    manifest: dict[str, Any], runtime: dict[str, Any], schema_problems: Callable[[dict[str, Any]], list[str]]
) -> None:
    """Those of Kubeflow Trainer 2.3."""
    assert schema_problems(manifest) == []
    assert schema_problems(runtime) == []
    manifest["spec"]["trainer"]["numNodes"] = "2"
    patch = manifest["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"][0]
    patch["template"]["spec"]["template"]["spec"]["hostname"] = "worker"  # The server would drop it.
    wrong, unknown = schema_problems(manifest)
    assert wrong == "$.spec.trainer.numNodes: '2' is not of type 'integer'"
    assert unknown.endswith("template.spec.hostname: is unknown")


def test_a_worker_that_trains_with_jax_finds_the_first_worker(
    manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    monkeypatch.setenv("TF_CONFIG", "")
    worker._set_tf_config(manifest["spec"]["trainer"]["command"][-1].split(","))
    assert JaxCluster.from_environment() == JaxCluster("digits-1-node-0-0.digits-1:2222", 2, 1)


def test_jax_understands_the_variables_of_the_runtime_jax_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pkg/runtime/framework/plugins/jax of Kubeflow Trainer 2.3 sets them."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "digits-node-0-0.digits:29500")
    monkeypatch.setenv("JAX_NUM_PROCESSES", "2")
    monkeypatch.setenv("JAX_PROCESS_ID", "1")
    assert JaxCluster.from_environment() == JaxCluster("digits-node-0-0.digits:29500", 2, 1)


def test_the_runtime_has_only_keys_of_its_model(runtime: dict[str, Any]) -> None:
    assert json.loads(models.TrainerV1alpha1TrainingRuntime.from_dict(runtime).to_json()) == runtime


def test_the_job_uses_the_names_of_the_runtime(manifest: dict[str, Any], runtime: dict[str, Any]) -> None:
    assert manifest["spec"]["runtimeRef"]["name"] == runtime["metadata"]["name"]
    (theirs,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    (patch,) = manifest["spec"]["runtimePatches"]
    (ours,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    assert ours["name"] == theirs["name"]
    containers = theirs["template"]["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in containers] == [TrainJob.container]
    # This label marks the runtime's job as the trainer.
    assert theirs["template"]["metadata"]["labels"]["trainer.kubeflow.org/trainjob-ancestor-step"] == "trainer"


def test_a_worker_gets_its_index_from_the_job(manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = manifest["spec"]["trainer"]
    assert (trainer["numNodes"], trainer["command"][0]) == (2, "train")
    addresses = trainer["command"][-1].split(",")
    # JobSet's names: job, replicated job, its index, the pod's index, then the Service.
    assert addresses == ["digits-1-node-0-0.digits-1:2222", "digits-1-node-0-1.digits-1:2222"]
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    monkeypatch.setenv("TF_CONFIG", "")
    worker._set_tf_config(addresses)
    assert Cluster.from_environment() == Cluster(tuple(addresses), 1)


def test_a_worker_of_a_tfjob_gets_its_index_from_the_operator(
    settings: JobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TFJob().manifest("digits-1", settings, ["train"])["spec"]
    assert spec["enableDynamicWorker"]  # without it, a deleted pod fails the job
    (container,) = spec["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
    addresses = container["command"][-1].split(",")
    assert addresses == ["digits-1-worker-0:2222", "digits-1-worker-1:2222"]  # the operator's Services
    # The TF_CONFIG that operator 1.8.1 gave the second of two workers.
    sparse = '{"cluster":{"worker":{"1":"digits-1-worker-1.team.svc:2222"}},"task":{"type":"worker","index":1}}'
    monkeypatch.setenv("TF_CONFIG", sparse)
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)
    worker._set_tf_config(addresses)
    assert Cluster.from_environment() == Cluster(tuple(addresses), 1)


def test_only_workers_that_lost_others_or_got_a_signal_restart(runtime: dict[str, Any]) -> None:
    (job,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    spec = job["template"]["spec"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # Kubernetes needs it for a podFailurePolicy
    _, rule = spec["podFailurePolicy"]["rules"]
    retried = rule["onExitCodes"]["values"]
    assert (rule["action"], rule["onExitCodes"]["operator"]) == ("FailJob", "NotIn")
    assert {129, 137, 143} <= set(retried)  # lost other workers, SIGKILL, SIGTERM
    assert min(retried) > 128


@pytest.mark.parametrize(
    ("conditions", "phase"),
    [
        ([], "under way"),
        ([{"type": "Suspended", "status": "True", "message": "m"}], "suspended"),
        ([{"type": "Suspended", "status": "False", "message": "Resumed"}], "under way"),
        ([{"type": "Complete", "status": "True", "message": "m"}], "succeeded"),
        ([{"type": "Failed", "status": "True", "message": "m"}], "failed"),
    ],
)
def test_conditions_become_phases(conditions: list[dict[str, str]], phase: str) -> None:
    assert TrainJob().phase({"status": {"conditions": conditions}})[0] == phase


def test_the_longest_name_fits_into_a_dns_label() -> None:
    name = "a" * TrainJob().longest_name(workers=100)
    assert len(f"{name}-node-0-99-x7k2p") == 63
