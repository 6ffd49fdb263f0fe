"""Tests that a run with InfraValidator is refused at once without Docker or a cluster."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.serving_config import ServingConfig
from efficientmixnet.pipeline.local.check_model_server import check_model_server


def test_nothing_is_checked_without_infra_validator():
    check_model_server(ServingConfig(docker="unix:///none"))


def test_missing_docker_is_refused_with_its_address(tmp_path):
    config = ServingConfig(infra_validator="docker", docker=f"unix://{tmp_path}/docker.sock")
    with pytest.raises(BadInput) as error:
        check_model_server(config)
    assert str(error.value) == (
        f"serving.infra_validator: Docker does not answer at unix://{tmp_path}/docker.sock; start it, set its address "
        "in serving.docker, or remove the key (ServingCheck tests the model in any case)"
    )


@pytest.mark.parametrize("package", ["docker", "kubernetes"])
def test_a_missing_package_is_refused_with_its_name(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # an import of it fails from here on
    with pytest.raises(BadInput, match=f"package {package} is missing; run `pip install {package}`, or remove the key"):
        check_model_server(ServingConfig(infra_validator=package))


def test_kubernetes_needs_a_pod_of_kubeflow_pipelines(monkeypatch):
    config = ServingConfig(infra_validator="kubernetes")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KFP_POD_NAME", "pod")
    monkeypatch.delenv("KFP_NAMESPACE", raising=False)
    with pytest.raises(BadInput, match=r"\(KFP_NAMESPACE not set\); use docker"):
        check_model_server(config)
    monkeypatch.setenv("KFP_NAMESPACE", "team")
    check_model_server(config)


def test_the_command_fails_at_once_and_creates_no_files(tmp_path: Path):
    (tmp_path / "images" / "cat").mkdir(parents=True)
    words = ["run", "--data", "images", "--output", "runs", "--set", "serving.infra_validator=docker"]
    words += ["--set", f"serving.docker=unix://{tmp_path}/none"]
    began = time.monotonic()
    command = [sys.executable, "-c", "from efficientmixnet.pipeline.cli import main; main()", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert "serving.infra_validator: Docker does not answer" in done.stderr
    assert not (tmp_path / "runs").exists()
    assert time.monotonic() - began < 10  # 1 s alone; TFX, which takes 15 s, is not imported
