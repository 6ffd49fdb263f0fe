"""Tests of names: what cannot become a path or a name in a cluster is refused with the configuration."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config, load_config


def _load(text: str, folder: Path) -> Config:
    (folder / "my.yaml").write_text(text, encoding="utf-8")
    return load_config(str(folder / "my.yaml"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("data: {splits: {train: 1, eval: 1, /../../x: 1}}", "data.splits: the name '/../../x' should have at most 63"),
        ("data: {splits: {train: 1, eval: 1, ..: 1}}", "data.splits: the name '..' should have"),
        ("data: {splits: {train: 1, eval: 1, '': 1}}", "data.splits: the name '' should have"),
        ("data: {splits: {train: 1, eval: 1, 'a*': 1}}", "data.splits: the name 'a*' should have"),
        ("data: {splits: {train: 1, eval: 1, prüfung: 1}}", "data.splits: the name 'prüfung' should have"),
        (f"data: {{splits: {{train: 1, eval: 1, {'a' * 64}: 1}}}}", "data.splits: the name "),
        ("data: {layout: {split_files: {../x: a}}}", "data.layout.split_files: the name '../x' should have"),
        ("name: a/../b", "name: should have at most 63 lower-case letters"),
        ("name: a-", "name: should have at most 63 lower-case letters"),
        ('name: "a\\n"', "name: should have at most 63 lower-case letters"),
        ("serving: {tag: a/b}", "serving.tag: should be the tag of a container image"),
        ("serving: {image: ../x}", "serving.image: should be the name of a container image"),
        ("serving: {docker: /var/run}", "serving.docker: should be an address of Docker"),
        ("kubeflow: {service_account: a..b}", "kubeflow.service_account: should be a Kubernetes name"),
        ("kubeflow: {service_account: ../x}", "kubeflow.service_account: should be a Kubernetes name"),
        ("kubeflow: {secrets: [{name: a, environment: {../x: A}}]}", "the name '../x' should be a key of a Secret"),
        ("kubeflow: {secrets: [{name: a, path: /a/../../b}]}", "kubeflow.secrets.0.path: should be an absolute path"),
        ("kubeflow: {volumes: [{claim: a, path: '/a:b'}]}", "kubeflow.volumes.0.path: should be an absolute path"),
        ("kubeflow: {volumes: [{claim: a, path: /a, sub_path: ../b}]}", "sub_path: should be a relative path"),
        ("kubeflow: {volumes: [{claim: a, path: /a, sub_path: /b}]}", "sub_path: should be a relative path"),
        ("kubeflow: {checkpoints: /a/..}", "kubeflow.checkpoints: should be an absolute path"),
        ("kubeflow: {pipeline_root: minio://a/../b}", "kubeflow.pipeline_root: should be a URI"),
        ("kubeflow: {pushed: /a/../b}", "kubeflow.pushed: should be a URI such as minio://bucket/folder, or a path"),
        ("kubeflow: {object_store: {access_key: ..}}", "access_key: should be a key of a Secret"),
        ("kubeflow: {pod: {node_selector: {a/b/c: x}}}", "the name 'a/b/c' should be the key of a Kubernetes label"),
        ("kubeflow: {pod: {node_selector: {a: x-}}}", "node_selector.a: should be the value of a Kubernetes label"),
        ("kubeflow: {pod: {tolerations: [{key: a b}]}}", "tolerations.0.key: should be the key of a Kubernetes taint"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        _load(text, tmp_path)
    first, second = str(caught.value).splitlines()
    assert "1 problem found" in first
    assert line in second


@pytest.mark.parametrize(
    "text",
    [
        "data: {splits: {train: 1, eval: 1, test_2: 1, Hold-out: 1}}",
        "name: digits-2",
        "kubeflow: {secrets: [{name: a.b-c, environment: {aws.key_id: A}}]}",
        "kubeflow: {volumes: [{claim: a, path: /mnt/a, sub_path: team/a..b}]}",
        "kubeflow: {pipeline_root: 's3://bucket/folder?region=us-east-1'}",
        "kubeflow: {pod: {node_selector: {topology.kubernetes.io/zone: Eu_1.a, empty: ''}}}",
        "kubeflow: {pod: {tolerations: [{operator: Exists}, {key: nvidia.com/gpu, operator: Exists}]}}",
    ],
)
def test_usual_names_are_allowed(text: str, tmp_path: Path) -> None:
    assert isinstance(_load(text, tmp_path), Config)
