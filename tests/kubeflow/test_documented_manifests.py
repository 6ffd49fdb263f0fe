"""Tests that the published schemas accept the manifests, patches and settings in the documentation."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from efficientmixnet.pipeline.config.config import Config

ROOT = Path(__file__).parents[2]
KSERVE = ROOT / "kubeflow" / "manifests" / "overlays" / "kserve"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("kubeflow*.md"))}
BLOCKS = [
    (name, yaml.safe_load(block))
    for name, page in PAGES.items()
    for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
]
SETTINGS = [one for one in BLOCKS if "kubeflow" in one[1]]
MANIFESTS = [one for one in BLOCKS if "kind" in one[1]]
KUBECTL_PATCHES = re.findall(
    r"kubectl patch inferenceservice efficientmixnet .*?--type merge -p\s.*?'(.*?)'",
    PAGES["kubeflow-serving.md"],
    re.DOTALL,
)
MODE = "serving.kserve.io/deploymentMode"
Problems = Callable[[dict[str, Any]], list[str]]


def _merge(value: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7386), which kubectl and kustomize use for custom resources."""
    if not isinstance(patch, dict):
        return patch
    kept = dict(value) if isinstance(value, dict) else {}
    for name, inner in patch.items():
        if inner is None:
            kept.pop(name, None)
        else:
            kept[name] = _merge(kept.get(name), inner)
    return kept


def _patched(patch: dict[str, Any]) -> dict[str, Any]:
    return _merge(yaml.safe_load((KSERVE / "inference-service.yaml").read_text()), patch)


@pytest.mark.parametrize(("page", "settings"), SETTINGS)
def test_the_settings_are_a_valid_configuration(page: str, settings: dict[str, Any]) -> None:
    Config.model_validate(settings)


@pytest.mark.parametrize(("page", "manifest"), MANIFESTS)
def test_a_manifest_is_valid(page: str, manifest: dict[str, Any], schema_problems: Problems) -> None:
    if manifest["kind"] == "InferenceService":
        manifest = _patched(manifest)
    if "." in manifest["apiVersion"]:
        assert schema_problems(manifest) == []
    else:
        kubernetes_validate.validate(manifest, "1.34", strict=True)


@pytest.mark.parametrize("patch", KUBECTL_PATCHES)
def test_a_patch_of_the_server_is_valid(patch: str, schema_problems: Problems) -> None:
    patched = _patched(json.loads(patch))
    assert schema_problems(patched) == []
    assert patched["metadata"]["annotations"][MODE] == "Knative"  # the only mode that reads canaryTrafficPercent
    assert 0 <= patched["spec"]["predictor"]["canaryTrafficPercent"] <= 100


def test_the_blocks_of_all_kinds_are_found() -> None:
    kinds = {manifest["kind"] for _, manifest in MANIFESTS}
    assert kinds >= {"InferenceService", "Profile", "LimitRange", "PeerAuthentication", "AuthorizationPolicy"}
    assert len(KUBECTL_PATCHES) == PAGES["kubeflow-serving.md"].count("kubectl patch inferenceservice") == 3
    assert len(SETTINGS) >= 5


def test_the_canary_without_knative_keeps_the_rules_of_kserves_webhook() -> None:
    """The rules are from validateCanarySpecs in KServe 0.20."""
    [patch] = [manifest for _, manifest in MANIFESTS if manifest["kind"] == "InferenceService"]
    manifest = _patched(patch)
    assert manifest["metadata"]["annotations"][MODE] == "Standard"
    stable, canaries = manifest["spec"]["predictor"], manifest["spec"]["canary"]
    assert "canaryTrafficPercent" not in stable
    names = [one["predictor"]["name"] for one in canaries]
    assert len({stable.get("name"), *names}) == len(names) + 1
    assert sum(one["trafficPercent"] for one in canaries) <= 100
    assert not {"maxReplicas", "scaleTarget", "scaleMetric", "autoScaling", "workerSpec"} & {
        key for one in canaries for key in one["predictor"]
    }


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kustomize_applies_the_patch_for_standard(tmp_path: Path, schema_problems: Problems) -> None:
    [patch] = [manifest for _, manifest in MANIFESTS if manifest["kind"] == "InferenceService"]
    [kustomization] = [block for _, block in BLOCKS if "patches" in block]
    kustomization["resources"] = [
        one.replace("../efficientmixnet", os.path.relpath(ROOT, tmp_path)) for one in kustomization["resources"]
    ]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    (tmp_path / kustomization["patches"][0]["path"]).write_text(yaml.safe_dump(patch))
    built = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, check=True)  # noqa: S603, S607
    [service] = [one for one in yaml.safe_load_all(built.stdout) if one["kind"] == "InferenceService"]
    assert service == _patched(patch)
    assert schema_problems(service) == []


def test_a_wrong_canary_is_found(schema_problems: Problems) -> None:
    model = {"name": "kserve-container", "modelFormat": {}, "storageURI": "s3://bucket"}
    canaries = [{"trafficPercent": 101, "predictor": {"model": model}}, {"predictor": {"model": {"modelFormat": {}}}}]
    assert sorted(schema_problems(_patched({"spec": {"canary": canaries}}))) == [
        "$.spec.canary[0].predictor.model.modelFormat: 'name' is a required property",
        "$.spec.canary[0].predictor.model.storageURI: is unknown",
        "$.spec.canary[0].trafficPercent: 101 is greater than the maximum of 100",
        "$.spec.canary[1].predictor.model.modelFormat: 'name' is a required property",
        "$.spec.canary[1].predictor.model: 'name' is a required property",
        "$.spec.canary[1]: 'trafficPercent' is a required property",
    ]
