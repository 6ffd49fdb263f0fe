"""Problems of a package are found before it is sent to the server."""

from typing import Any

import pytest

from efficientmixnet.kubeflow.package.backend_rules import arguments, check_package, parse_argument
from efficientmixnet.modules.exceptions import BadInput


def _break(spec: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for key in parents:
        spec = spec[key]
    spec[last] = value


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("schemaVersion", "2.0.0", "schemaVersion: should be 2.1.0, not 2.0.0"),
        ("pipelineInfo/name", "Digits", "pipelineInfo.name: 'Digits' may have only lower-case"),
        ("root", {}, "root: has no tasks"),
        (
            "deploymentSpec/executors/Pusher_executor",
            {"resolver": {}},
            "Pusher_executor: must be a container or an importer",
        ),
        ("deploymentSpec/executors/Pusher_executor/container/image", "", "Pusher_executor: has no container image"),
        ("root/inputDefinitions/parameters", {}, "images needs the parameter images, which the package does not have"),
        (
            "components/Evaluator/inputDefinitions/parameters",
            {},
            "task Evaluator: its component has no input baseline_model in parameters",
        ),
        ("root/dag/tasks/Evaluator/dependentTasks", [], "uses an output of Trainer, but does not depend on it"),
        ("components/LatestPushed/outputDefinitions/parameters", {}, "LatestPushed has no output latest"),
        ("root/dag/tasks/Pusher/taskInfo/name", "", "task 'Pusher': Argo needs a name"),
    ],
)
def test_each_problem_is_named(golden: list[dict[str, Any]], path: str, value: Any, line: str) -> None:
    check_package(golden[0])
    _break(golden[0], path, value)
    with pytest.raises(BadInput) as error:
        check_package(golden[0])
    assert line in str(error.value)


def test_a_parameter_without_a_default_must_be_given(golden: list[dict[str, Any]]) -> None:
    del golden[0]["root"]["inputDefinitions"]["parameters"]["images"]["defaultValue"]
    with pytest.raises(BadInput, match="--param images: has no default"):
        arguments(golden[0], {})


def test_a_parameter_of_an_unknown_type_is_refused(golden: list[dict[str, Any]]) -> None:
    golden[0]["root"]["inputDefinitions"]["parameters"]["images"]["parameterType"] = "TASK_CONFIG"
    with pytest.raises(BadInput, match="--param images: the package gives it the unknown type TASK_CONFIG"):
        arguments(golden[0], {"images": "s3://bucket/images"})


def test_arguments_are_read_by_the_packages_types(golden: list[dict[str, Any]]) -> None:
    assert parse_argument("max_left_out=0.5", golden[0]) == ("max_left_out", 0.5)
    assert parse_argument("images=s3://bucket/a=b", golden[0]) == ("images", "s3://bucket/a=b")
    with pytest.raises(BadInput, match="'half' is not a number"):
        parse_argument("max_left_out=half", golden[0])
    with pytest.raises(BadInput, match="give NAME=VALUE"):
        parse_argument("images", golden[0])
