"""The manifests are complete and valid, and grant only the necessary rights."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

MANIFESTS = Path(__file__).parents[2] / "kubeflow" / "manifests"
FOLDERS = sorted(file.parent for file in MANIFESTS.rglob("kustomization.yaml"))
FILES = sorted(file for file in MANIFESTS.rglob("*.yaml") if file.name != "kustomization.yaml")
# KServe's published models: the keys and their types. Its package needs another protobuf than TFX.
KSERVE = json.loads((Path(__file__).parent / "kserve_models.json").read_text())["models"]
BUILT_IN = (
    "v1", "apps/v1", "autoscaling/v2", "networking.k8s.io/v1", "policy/v1", "rbac.authorization.k8s.io/v1",
)  # fmt: skip
FROM_OPERATORS = ("serving.kserve.io/v1beta1", "trainer.kubeflow.org/v1alpha1")


def _load(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kustomization_lists_every_file_in_its_folder(folder: Path) -> None:
    listed = {name for name in _load(folder / "kustomization.yaml")["resources"] if name.endswith(".yaml")}
    assert listed == {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_manifest_is_valid(file: Path) -> None:
    manifest = _load(file)
    if manifest["apiVersion"] in BUILT_IN:
        kubernetes_validate.validate(manifest, "1.34", strict=True)
    else:
        assert manifest["apiVersion"] in FROM_OPERATORS


def test_the_role_may_read_one_secret_and_report_to_argo() -> None:
    rules = _load(MANIFESTS / "base" / "role.yaml")["rules"]
    granted = {
        (resource, verb, *rule.get("resourceNames", []))
        for rule in rules
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {
        ("configmaps", "get", "kfp-launcher"),
        ("secrets", "get", "mlpipeline-minio-artifact"),
        ("pods", "get"),
        ("workflowtaskresults", "create"),
        ("workflowtaskresults", "patch"),
    }


def test_the_inference_service_has_only_keys_of_kserves_model() -> None:
    manifest = _load(MANIFESTS / "overlays" / "kserve" / "inference-service.yaml")
    assert list(_unknown(manifest, "V1beta1InferenceService")) == []
    manifest["spec"]["predictor"]["model"]["storageURI"] = manifest["spec"]["predictor"]["model"].pop("storageUri")
    assert list(_unknown(manifest, "V1beta1InferenceService")) == ["V1beta1ModelSpec.storageURI"]


def _unknown(value: dict[str, Any], model: str) -> Iterator[str]:
    """Yields the keys that are not in the model or in the models below it."""
    for key, inner in value.items():
        kind = KSERVE[model].get(key)
        if kind is None:
            yield f"{model}.{key}"
        elif kind in KSERVE:
            yield from _unknown(inner, kind)


@pytest.mark.parametrize(
    ("overlay", "group", "jobs"),
    [("training-operator", "kubeflow.org", "tfjobs"), ("kubeflow-trainer", "trainer.kubeflow.org", "trainjobs")],
)
def test_training_jobs_need_rights_on_jobs_and_on_reading_pods(overlay: str, group: str, jobs: str) -> None:
    rules = _load(MANIFESTS / "overlays" / overlay / "role.yaml")["rules"]
    assert rules == [
        {"apiGroups": [group], "resources": [jobs], "verbs": ["create", "get", "delete"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]


def test_the_server_is_selected_by_everything_that_is_for_it() -> None:
    folder = MANIFESTS / "overlays" / "tf-serving"
    label = {"app": "efficientmixnet-serving"}
    deployment = _load(folder / "deployment.yaml")["spec"]
    ports = {one["name"] for one in deployment["template"]["spec"]["containers"][0]["ports"]}
    policy = _load(folder / "network-policy.yaml")["spec"]
    assert deployment["template"]["metadata"]["labels"] == label
    assert _load(folder / "disruption-budget.yaml")["spec"]["selector"]["matchLabels"] == label
    assert policy["podSelector"]["matchLabels"] == label
    assert {one["port"] for one in policy["ingress"][0]["ports"]} <= ports
    target = _load(folder / "autoscaler.yaml")["spec"]
    assert target["scaleTargetRef"]["name"] == _load(folder / "deployment.yaml")["metadata"]["name"]
    assert target["minReplicas"] > _load(folder / "disruption-budget.yaml")["spec"]["minAvailable"]
    assert "replicas" not in deployment  # an apply would undo what the autoscaler has set


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_builds_every_folder(folder: Path) -> None:
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)  # noqa: S607, S603
    kinds = [one["kind"] for one in yaml.safe_load_all(built.stdout)]
    assert {"ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim"} <= set(kinds)
