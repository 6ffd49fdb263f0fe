"""Tests of read_package: files that are not packages."""

from pathlib import Path

import pytest

from efficientmixnet.kubeflow.package.backend_rules import check_package
from efficientmixnet.kubeflow.package.read_package import read_package
from efficientmixnet.modules.exceptions import BadInput

WHOLE = "pipelineInfo: {name: a}\nroot: {dag: {tasks: {T: TASK}}}\ndeploymentSpec: {executors: {}}\ncomponents: {}\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("data: {}", "pipelineInfo: field required"),
        ("[1, 2]", "the file: "),
        ("", "pipelineInfo: field required"),
        ("pipelineInfo: {name: a}", "root: field required"),
        ("pipelineInfo: a", "pipelineInfo: "),
        (WHOLE.replace("TASK", "3"), "root.dag.tasks.T: "),
        (WHOLE.replace("TASK", "{}").replace("{executors: {}}", "[]"), "deploymentSpec: "),
    ],
)
def test_a_file_that_is_no_package_is_refused_with_the_place(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(BadInput) as caught:
        read_package(tmp_path / "a.yaml")
    assert f"a.yaml: is not a package ({where}" in str(caught.value)


def test_an_incomplete_package_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("schemaVersion: 2.1.0\n" + WHOLE.replace("TASK", "{taskInfo: {name: T}}"))
    (package,) = read_package(tmp_path / "a.yaml")
    with pytest.raises(BadInput, match=r"the package is incomplete \(KeyError: 'componentRef'\); compile it again"):
        check_package(package)
