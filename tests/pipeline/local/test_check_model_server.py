"""Without Docker or a cluster, a run that asks for a model server is refused at once."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.serving_config import ServingConfig
from efficientmixnet.pipeline.local.check_model_server import check_model_server


def test_nobody_is_asked_where_none_is_wanted():
    check_model_server(ServingConfig(docker="unix:///none"))


def test_without_docker_its_address_and_the_cure_are_named(tmp_path):
    config = ServingConfig(infra_validator="docker", docker=f"unix://{tmp_path}/docker.sock")
    with pytest.raises(BadInput) as error:
        check_model_server(config)
    assert str(error.value) == (
        f"serving.infra_validator: Docker does not answer at unix://{tmp_path}/docker.sock; start it, set its address "
        "in serving.docker, or remove the key (ServingCheck tests the model in any case)"
    )


@pytest.mark.parametrize("package", ["docker", "kubernetes"])
def test_without_the_package_its_name_and_the_cure_are_named(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # an import of it fails from here on
    with pytest.raises(BadInput, match=f"package {package} is missing; run `pip install {package}`, or remove the key"):
        check_model_server(ServingConfig(infra_validator=package))


def test_kubernetes_needs_a_pod_that_knows_its_name(monkeypatch):
    config = ServingConfig(infra_validator="kubernetes")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KFP_POD_NAME", "pod")
    monkeypatch.delenv("KFP_NAMESPACE", raising=False)
    with pytest.raises(BadInput, match=r"\(KFP_NAMESPACE not set\); use docker"):
        check_model_server(config)
    monkeypatch.setenv("KFP_NAMESPACE", "team")
    check_model_server(config)


def test_the_command_says_so_at_once_and_leaves_nothing(tmp_path: Path):
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
