"""The manifests are complete and valid, and grant only the necessary rights."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
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
FROM_OPERATORS = ("serving.kserve.io/v1beta1", "serving.kserve.io/v1alpha1", "trainer.kubeflow.org/v1alpha1")


def _load(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kustomization_lists_every_file_in_its_folder(folder: Path) -> None:
    listed = {name for name in _load(folder / "kustomization.yaml")["resources"] if name.endswith(".yaml")}
    assert listed == {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_manifest_is_valid(file: Path, schema_problems: Callable[[dict[str, Any]], list[str]]) -> None:
    manifest = _load(file)
    if manifest["apiVersion"] in BUILT_IN:
        kubernetes_validate.validate(manifest, "1.34", strict=True)
    else:
        assert manifest["apiVersion"] in FROM_OPERATORS
        assert schema_problems(manifest) == []


def test_the_published_schemas_find_mistakes(schema_problems: Callable[[dict[str, Any]], list[str]]) -> None:
    manifest = _load(MANIFESTS / "overlays" / "kserve" / "inference-service.yaml")
    manifest["spec"]["predictor"]["canaryTrafficPercent"] = "10"
    manifest["spec"]["predictor"]["model"]["storageURI"] = "s3://bucket"
    wrong, unknown = schema_problems(manifest)
    assert wrong == "$.spec.predictor.canaryTrafficPercent: '10' is not of type 'integer'"
    assert unknown == "$.spec.predictor.model.storageURI: is unknown"


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


def test_the_inference_service_uses_the_runtime_for_one_version() -> None:
    folder = MANIFESTS / "overlays" / "kserve"
    runtime, service = _load(folder / "serving-runtime.yaml"), _load(folder / "inference-service.yaml")
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    supported = runtime["spec"]["supportedModelFormats"]
    assert model["modelFormat"] in supported
    assert model["storageUri"].endswith("/pushed/VERSION")
    # KServe 0.20 refuses neither mode, but only Knative reads the percentage.
    assert service["metadata"]["annotations"] == {
        "serving.kserve.io/deploymentMode": "Knative",
        "serving.kserve.io/enable-prometheus-scraping": "true",
    }
    assert service["spec"]["predictor"]["canaryTrafficPercent"] == 100


def test_the_runtime_serves_the_version_that_kserve_has_fetched(tmp_path: Path) -> None:
    """KServe copies the content of storageUri into /mnt/models."""
    (container,) = _load(MANIFESTS / "overlays" / "kserve" / "serving-runtime.yaml")["spec"]["containers"]
    (script,) = container["args"]
    for place in ("mnt/models", "tmp"):
        (tmp_path / place).mkdir(parents=True)
    script = re.sub("/mnt/models|/tmp", lambda place: f"{tmp_path}{place[0]}", script)
    (tmp_path / "mnt/models/saved_model.pb").write_text("weights")
    server = tmp_path / "tensorflow_model_server"
    server.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    server.chmod(0o755)
    command = [*container["command"], script.replace("{{.Name}}", "digits")]
    for _ in range(2):  # The container may start again in the same pod.
        done = subprocess.run(  # noqa: S603
            command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
        )
    flags = dict(word.removeprefix("--").split("=", 1) for word in done.stdout.split())
    assert flags["model_name"] == "digits"
    assert (Path(flags["model_base_path"]) / "1" / "saved_model.pb").read_text() == "weights"
    assert "enable: true" in Path(flags["monitoring_config_file"]).read_text()
    metrics = _load(MANIFESTS / "overlays" / "kserve" / "serving-runtime.yaml")["spec"]["annotations"]
    assert metrics["prometheus.kserve.io/port"] == flags["rest_api_port"]
    assert f'path: "{metrics["prometheus.kserve.io/path"]}"' in Path(flags["monitoring_config_file"]).read_text()


def test_tensorflow_serving_has_metrics_where_prometheus_looks() -> None:
    folder = MANIFESTS / "overlays" / "tf-serving"
    template = _load(folder / "deployment.yaml")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    flags = dict(word.removeprefix("--").split("=", 1) for word in container["args"])
    (mount,) = (
        one for one in container["volumeMounts"] if flags["monitoring_config_file"].startswith(one["mountPath"])
    )
    (volume,) = (one for one in template["spec"]["volumes"] if one["name"] == mount["name"])
    monitoring = _load(folder / "monitoring.yaml")
    assert volume["configMap"]["name"] == monitoring["metadata"]["name"]
    text = monitoring["data"][flags["monitoring_config_file"].rpartition("/")[2]]
    annotations = template["metadata"]["annotations"]
    assert f'path: "{annotations["prometheus.io/path"]}"' in text
    assert annotations["prometheus.io/port"] == flags["rest_api_port"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_folder_says_for_which_versions_it_was_written(folder: Path) -> None:
    assert re.search(r"^# .*[Ww]ritten for \w.* \d+\.\d+", (folder / "kustomization.yaml").read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_builds_every_folder(folder: Path) -> None:
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)  # noqa: S607, S603
    kinds = [one["kind"] for one in yaml.safe_load_all(built.stdout)]
    assert {"ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim"} <= set(kinds)
