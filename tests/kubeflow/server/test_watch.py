"""watch with a server whose workflow controller has a default retry strategy, as Kubeflow Pipelines 2.17 ships it.

nested_runs.json has the runs as such a server describes them: every node of Argo is wrapped in a Retry node, errors are
empty, and nodes have the ids of their children but not their own.
"""

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from efficientmixnet.kubeflow.server.node_log import reason
from efficientmixnet.kubeflow.server.workflow_nodes import WorkflowNodes, _hash
from efficientmixnet.pipeline.cli import main

RUNS = json.loads((Path(__file__).parent / "nested_runs.json").read_text())
LAST_TRAINER = "digits-x7k2p-3430157677"
PUSHER = "digits-x7k2p-2830010354"
RUNNING_TRAINER = "digits-x7k2p-2692089536"
LAUNCHER = "F0821 10:11:12.123456      17 main.go:58] failed to execute component: exit status 2"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficientmixnet.kubeflow.server.watch.PAUSE", 0.01)
    monkeypatch.setattr("efficientmixnet.kubeflow.commands.server_options.announce", lambda _: None)


def _watch(server: Any, *states: str) -> Result:
    server.runs = [copy.deepcopy(RUNS[state]) for state in states]
    return CliRunner().invoke(main, ["kubeflow", "watch", "run-1", "--endpoint", server.url])


def test_each_component_is_shown_once_in_the_order_of_the_pipeline(server: Any) -> None:
    server.logs = {LAST_TRAINER: "error: the disk is full"}
    shown = _watch(server, "running", "failed").output.splitlines()
    assert [line.split() for line in shown[:5]] == [
        ["DataVersion", "done", "12.0", "s"],
        ["Trainer", "running"],
        ["ImageExampleGen", "from", "cache"],
        ["Trainer", "failed", "101.0", "s,", "1", "retry"],
        ["Trainer:", "the", "disk", "is", "full"],
    ]


def test_a_failed_run_says_why_and_where_the_log_is(server: Any) -> None:
    noise = "FutureWarning: no\nerror: an earlier one\n"
    server.logs = {LAST_TRAINER: f"{noise}error: data.images: gone\n  left out: a.png\n{LAUNCHER}\n"}
    result = _watch(server, "failed")
    assert result.exit_code == 1
    assert result.output.splitlines()[-4:] == [
        "Trainer: data.images: gone",
        "  left out: a.png",
        f"  the whole log: {server.url}/apis/v1alpha1/runs/run-1/nodes/{LAST_TRAINER}/log",
        "error: run run-1 failed",
    ]


def test_a_pod_is_also_found_by_its_name_with_the_template(server: Any) -> None:
    pod = LAST_TRAINER.replace("digits-x7k2p", "digits-x7k2p-retry-system-container-impl")
    server.logs = {pod: "error: no space"}
    assert "Trainer: no space" in _watch(server, "failed").output


def test_a_failed_run_without_a_log_says_so(server: Any) -> None:
    result = _watch(server, "failed")
    assert "Trainer: the server gives no reason and has no log of its pod; look at the run's page" in result.output


def _result(blessed: bool, why: str, **more: Any) -> str:
    return "pushing\nresult: " + json.dumps({"blessed": blessed, "reason": why, **more}) + "\n"


def test_a_blessed_model_ends_as_in_a_local_run(server: Any) -> None:
    server.logs = {
        PUSHER: _result(
            True,
            "accuracy 0.9913 >= 0.5",
            accuracy=0.9913,
            interval=[0.98, 0.99],
            pushed_model="minio://b/pushed/17",
            report="minio://b/r/report.html",
        )
    }
    result = _watch(server, "running", "succeeded")
    assert result.exit_code == 0
    assert result.output.splitlines()[-5:] == [
        "",
        "accuracy      0.9913 (0.9800 to 0.9900) on the evaluation split",
        "result        blessed: accuracy 0.9913 >= 0.5",
        "pushed model  minio://b/pushed/17",
        "report        minio://b/r/report.html",
    ]


def test_a_refused_model_exits_with_3_and_the_metric_its_value_and_the_limit(server: Any) -> None:
    server.logs = {PUSHER: _result(False, "accuracy 0.4000 is below 0.5", accuracy=0.4)}
    result = _watch(server, "succeeded")
    assert result.exit_code == 3
    assert "result        not blessed: accuracy 0.4000 is below 0.5\npushed model  none\n" in result.output


def test_an_unknown_result_is_not_taken_for_a_success(server: Any) -> None:
    result = _watch(server, "succeeded")
    assert result.exit_code == 1
    assert "run run-1 succeeded, but the server has no log of Pusher" in result.output


def test_a_run_without_its_workflow_ends(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficientmixnet.kubeflow.server.watch.QUIET", 0.1)
    result = _watch(server, "running")
    assert result.exit_code == 1
    assert "run run-1: its workflow is gone: nothing has changed for" in result.output


def test_a_run_with_a_pod_that_waits_or_works_goes_on(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficientmixnet.kubeflow.server.watch.QUIET", 0.05)
    server.logs = {
        RUNNING_TRAINER: '{"error_message": "container \\"main\\" is waiting to start: PodInitializing"}',
        LAST_TRAINER: "error: at last",
    }
    server.runs = [copy.deepcopy(RUNS["running"]) for _ in range(20)] + [copy.deepcopy(RUNS["failed"])]
    result = CliRunner().invoke(main, ["kubeflow", "watch", "run-1", "--endpoint", server.url])
    assert "workflow is gone" not in result.output
    assert "Trainer: at last" in result.output


def test_the_hash_is_argos() -> None:
    """The ids of workflows that Argo ran, from the recorded runs in the sources of Kubeflow Pipelines."""
    assert _hash("retry-random-failures-p9snt.random-failure(0)") == 310421839
    assert _hash("retry-random-failures-p9snt.random-failure") == 3193641316
    assert _hash("coinflip-recursive-q7dqb[1]") == 1720466287


def test_a_server_without_default_retries_is_understood() -> None:
    """There, the executor is the only Retry node of the path, or none is."""
    plain = f"flow-{_hash('flow.root.Trainer.executor')}"
    first, second = (f"flow-{_hash(f'flow.root.Trainer.executor({number})')}" for number in range(2))
    assert _nodes(plain).pods("Trainer")[0] == plain
    assert (_nodes(plain).retries("Trainer"), _nodes(plain, first, second).retries("Trainer")) == (0, 1)
    assert _nodes(plain, first, second).pods("Trainer")[0] == second
    assert _nodes(plain).pods("Pusher") == []


def _nodes(*children: str) -> WorkflowNodes:
    return WorkflowNodes([SimpleNamespace(child_tasks=[SimpleNamespace(pod_name=name) for name in children])])


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("a\nerror: b\nc", "b"),
        ("interrupted: by the cluster", "interrupted: by the cluster"),
        ("training\nI0821 10:11:12.1   17 x.go:1] signal: killed", "it was killed, for example because its memory was"),
        (f"training\n{LAUNCHER}", "its log ends with: failed to execute component: exit status 2"),
        ("", "its log is empty"),
    ],
)
def test_the_reason_is_the_last_line_of_ours_or_the_last_line(log: str, line: str) -> None:
    assert reason(log).startswith(line)
