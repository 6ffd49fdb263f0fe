"""A real API server accepts the manifests."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

MANIFESTS = Path(__file__).parents[2] / "kubeflow" / "manifests"
FOLDERS = sorted(file.parent for file in MANIFESTS.rglob("kustomization.yaml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_server_accepts_every_kind_that_it_has(folder: Path, namespace: Any) -> None:
    known = namespace.kubectl("api-versions").split()
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)  # noqa: S607, S603
    manifests = [one for one in yaml.safe_load_all(built.stdout) if one["apiVersion"] in known]
    assert len(manifests) >= 4
    listed = {"apiVersion": "v1", "kind": "List", "items": manifests}
    output = namespace.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", given=listed)
    assert output.count("(server dry run)") == len(manifests)
