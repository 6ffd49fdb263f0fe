"""What Kubeflow Trainer 2 gets, against its own published models: no server of it can be had in tests."""

import json
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

RUNTIME = Path(__file__).parents[3] / "kubeflow/manifests/overlays/kubeflow-trainer/training-runtime.yaml"


@pytest.fixture
def manifest(settings: JobSettings) -> dict[str, Any]:
    return TrainJob().manifest("digits-1", settings, ["train"])


@pytest.fixture
def runtime() -> dict[str, Any]:
    return yaml.safe_load(RUNTIME.read_text())


def test_the_job_is_one_of_its_models_and_has_no_key_that_they_lack(manifest: dict[str, Any]) -> None:
    assert json.loads(models.TrainerV1alpha1TrainJob.from_dict(manifest).to_json()) == manifest


def test_the_runtime_is_one_of_its_models_and_has_no_key_that_they_lack(runtime: dict[str, Any]) -> None:
    assert json.loads(models.TrainerV1alpha1TrainingRuntime.from_dict(runtime).to_json()) == runtime


def test_the_job_and_its_patches_name_what_the_runtime_has(manifest: dict[str, Any], runtime: dict[str, Any]) -> None:
    assert manifest["spec"]["runtimeRef"]["name"] == runtime["metadata"]["name"]
    (theirs,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    (patch,) = manifest["spec"]["runtimePatches"]
    (ours,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    assert ours["name"] == theirs["name"]
    containers = theirs["template"]["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in containers] == [TrainJob.container]
    # Which of a runtime's jobs is the trainer's is said by this label alone.
    assert theirs["template"]["metadata"]["labels"]["trainer.kubeflow.org/trainjob-ancestor-step"] == "trainer"


def test_every_worker_learns_its_place_from_command_and_index(
    manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = manifest["spec"]["trainer"]
    assert (trainer["numNodes"], trainer["command"][0]) == (2, "train")
    addresses = trainer["command"][-1].split(",")
    # As JobSet names pods and their common Service: job, replicated job, its index, the pod's.
    assert addresses == ["digits-1-node-0-0.digits-1:2222", "digits-1-node-0-1.digits-1:2222"]
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    monkeypatch.setenv("TF_CONFIG", "")
    worker._tell_tensorflow(addresses)
    assert Cluster.from_environment() == Cluster(tuple(addresses), 1)


def test_a_worker_of_a_tfjob_learns_its_place_from_the_operator(
    settings: JobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TFJob().manifest("digits-1", settings, ["train"])["spec"]
    assert spec["enableDynamicWorker"]  # without which a deleted pod fails the job
    (container,) = spec["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
    addresses = container["command"][-1].split(",")
    assert addresses == ["digits-1-worker-0:2222", "digits-1-worker-1:2222"]  # the operator's Services
    # What the operator 1.8.1 said to the second of two.
    sparse = '{"cluster":{"worker":{"1":"digits-1-worker-1.team.svc:2222"}},"task":{"type":"worker","index":1}}'
    monkeypatch.setenv("TF_CONFIG", sparse)
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)
    worker._tell_tensorflow(addresses)
    assert Cluster.from_environment() == Cluster(tuple(addresses), 1)


def test_only_what_a_retry_can_mend_is_tried_again(runtime: dict[str, Any]) -> None:
    (job,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    spec = job["template"]["spec"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # without which Kubernetes takes no podFailurePolicy
    _, rule = spec["podFailurePolicy"]["rules"]
    retried = rule["onExitCodes"]["values"]
    assert (rule["action"], rule["onExitCodes"]["operator"]) == ("FailJob", "NotIn")
    assert {129, 137, 143} <= set(retried)  # lost its peers, killed, told to end
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
def test_its_conditions_are_read(conditions: list[dict[str, str]], phase: str) -> None:
    assert TrainJob().phase({"status": {"conditions": conditions}})[0] == phase


def test_its_pods_names_stay_within_what_dns_allows() -> None:
    name = "a" * TrainJob().longest_name(workers=100)
    assert len(f"{name}-node-0-99-x7k2p") == 63
