"""A rehearsal does what the driver and the launcher do. Short scripts replace TFX."""

import copy
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.rehearsal.driver import Outcome
from efficientmixnet.kubeflow.rehearsal.rehearsal import Rehearsal
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, TaskFailed

MODEL = {"artifactType": {"instanceSchema": "title: tfx.Model\ntype: object\n"}}
# Writes its ExecutorInput to sent.json, a file as its model, and a report, which REPORT can change.
SCRIPT = """
import json, os, pathlib, sys
sent = json.loads(sys.argv[1])
root = os.environ["EFFICIENTMIXNET_LAUNCHER_ROOT"]
path = lambda uri: pathlib.Path(root, uri.replace("://", "/"))
for listed in sent["inputs"]["artifacts"].values():
    for artifact in listed["artifacts"]:
        assert (path(artifact["uri"]) / "weights").read_text() == "weights"
output = sent["outputs"]["artifacts"]["model"]["artifacts"][0]
path(output["uri"]).mkdir(parents=True)
(path(output["uri"]) / "weights").write_text("weights")
pathlib.Path("sent.json").write_text(json.dumps(sent))
FAIL
report = {"artifacts": {"model": {"artifacts": [{"uri": output["uri"], "metadata": {"blessed": 1}}]}},
          "parameterValues": {"name": "rose"}}
REPORT
path(sent["outputs"]["outputFile"]).write_text(json.dumps(report))
"""


def _task(name: str, after: str | None = None, **parameters: Any) -> dict[str, Any]:
    inputs: dict[str, Any] = {"parameters": parameters}
    if after:
        inputs["artifacts"] = {"base": {"taskOutputArtifact": {"producerTask": after, "outputArtifactKey": "model"}}}
    return {
        "componentRef": {"name": name},
        "taskInfo": {"name": name},
        "inputs": inputs,
        "dependentTasks": [after] if after else [],
        "cachingOptions": {"enableCache": True},
        "retryPolicy": {"maxRetryCount": 1, "backoffDuration": "0s", "backoffFactor": 2.0},
    }


def _package(fail: str = "", report: str = "") -> list[dict[str, Any]]:
    """Two tasks: First, whose script `fail` and `report` change, and Second, which uses the outputs of First."""
    own = SCRIPT.replace("FAIL", fail).replace("REPORT", report)
    outputs = {"artifacts": {"model": MODEL}, "parameters": {"name": {"parameterType": "STRING"}}}
    strings = {"parameters": {"label": {"parameterType": "STRING"}}}
    spec = {
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "flowers"},
        "defaultPipelineRoot": "minio://bucket/root/",
        "components": {
            "First": {"executorLabel": "first", "inputDefinitions": strings, "outputDefinitions": outputs},
            "Second": {
                "executorLabel": "second",
                "inputDefinitions": {**strings, "artifacts": {"base": MODEL}},
                "outputDefinitions": outputs,
            },
        },
        "deploymentSpec": {
            "executors": {
                "first": {"container": {"image": "i", "command": ["python", "-c", own], "args": ["{{$}}"]}},
                "second": {
                    "container": {
                        "image": "i",
                        "command": ["python", "-c", SCRIPT.replace("FAIL", "").replace("REPORT", "")],
                        "args": ["{{$}}"],
                    }
                },
            }
        },
        "root": {
            "inputDefinitions": {"parameters": {"color": {"parameterType": "STRING", "defaultValue": "red"}}},
            "dag": {
                "tasks": {
                    "Second": _task(
                        "Second",
                        after="First",
                        label={"taskOutputParameter": {"producerTask": "First", "outputParameterKey": "name"}},
                    ),
                    "First": _task("First", label={"componentInputParameter": "color"}),
                }
            },
        },
    }
    return [copy.deepcopy(spec)]


def _rehearse(package: list[dict[str, Any]], folder: Path, color: str = "red") -> tuple[Rehearsal, dict[str, Outcome]]:
    rehearsal = Rehearsal(package, folder, {"color": color}, lambda *_: None)
    return rehearsal, rehearsal.run()


def _when(file: Path, happens: Callable[[], None]) -> threading.Thread:
    """Waits for the file, calls `happens`, and deletes the file."""

    def wait() -> None:
        while not file.exists():
            time.sleep(0.05)
        happens()
        file.unlink()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.fixture(autouse=True)
def _no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def test_a_task_gets_the_drivers_executor_input(tmp_path: Path) -> None:
    rehearsal, _ = _rehearse(_package(), tmp_path)
    sent = json.loads((tmp_path / "runs" / rehearsal.run_id / "Second-0" / "sent.json").read_text())
    (base,) = sent["inputs"]["artifacts"]["base"]["artifacts"]
    assert sent["inputs"]["parameterValues"] == {"label": "rose"}
    assert base["uri"].startswith(f"minio://bucket/root/flowers/{rehearsal.run_id}/First/")
    assert "type" not in base
    assert (base["name"], type(base["metadata"]["blessed"])) == ("1", float)
    assert base["metadata"]["display_name"] == "model"
    assert set(sent["outputs"]["artifacts"]) == {"model", "executor-logs"}
    assert sent["outputs"]["artifacts"]["executor-logs"]["artifacts"][0]["type"] == {"schemaTitle": "system.Artifact"}


def test_outputs_are_copied_to_the_store(tmp_path: Path) -> None:
    rehearsal, _ = _rehearse(_package(), tmp_path)
    uri = rehearsal.artifact("First", "model")["uri"]
    assert (tmp_path / "store" / uri.replace("://", "/") / "weights").read_text() == "weights"


def test_tasks_write_to_the_same_store(tmp_path: Path) -> None:
    """As they do for data records and pushed models, which the launcher does not copy."""
    keep = (
        "from efficientmixnet.kubeflow.store import object_store\n"
        "object_store.write_text('minio://bucket/kept', 'kept')"
    )
    _rehearse(_package(report=keep), tmp_path)
    assert (tmp_path / "store" / "minio" / "bucket" / "kept").read_text() == "kept"


def test_unchanged_tasks_come_from_the_cache_and_a_changed_parameter_runs_them_again(
    tmp_path: Path,
) -> None:
    _, first = _rehearse(_package(), tmp_path)
    _, again = _rehearse(_package(), tmp_path)
    assert [outcome.state for outcome in again.values()] == ["from cache", "from cache"]
    assert again["Second"].artifacts == first["Second"].artifacts
    _, other = _rehearse(_package(), tmp_path, color="blue")
    assert [outcome.state for outcome in other.values()] == ["done", "done"]


def test_a_task_without_caching_options_runs_every_time(tmp_path: Path) -> None:
    package = _package()
    package[0]["root"]["dag"]["tasks"]["First"]["cachingOptions"] = {}
    _rehearse(package, tmp_path)
    _, again = _rehearse(package, tmp_path)
    assert [outcome.state for outcome in again.values()] == [
        "done",
        "done",
    ]  # Second runs because its input is a new artifact


def test_a_failed_task_is_retried_in_an_empty_root(tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")
    once = f"if not os.path.exists({flag!r}):\n    open({flag!r}, 'w').close()\n    os.kill(os.getpid(), 9)"
    rehearsal, outcomes = _rehearse(_package(fail=once), tmp_path)
    assert (outcomes["First"].attempts, outcomes["Second"].attempts) == (2, 1)
    assert rehearsal.artifact("First", "model")["uri"].endswith("/model")


def test_a_task_that_always_fails_is_an_error_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match=r"First failed; its last lines:\n.*no such color"):
        _rehearse(_package(fail="sys.exit('no such color')"), tmp_path)
    assert len(list(tmp_path.glob("runs/*/First-*"))) == 2


def test_a_server_with_a_default_retry_strategy_starts_no_container_again(tmp_path: Path) -> None:
    fail = "print(os.environ['KFP_RETRY_INDEX']); sys.exit(1)"
    rehearsal = Rehearsal(_package(fail=fail), tmp_path, {"color": "red"}, lambda *_: None, merges_retries=True)
    with pytest.raises(TaskFailed, match=r"First failed; its last lines:\n0\n"):
        rehearsal.run()
    assert len(list(tmp_path.glob("runs/*/First-*"))) == 1


def test_the_result_is_read_from_the_last_attempt_of_pusher(tmp_path: Path) -> None:
    rehearsal, _ = _rehearse(_package(), tmp_path)
    assert rehearsal.result() is None
    for attempt, blessed in enumerate(("false", "true")):
        folder = tmp_path / "runs" / rehearsal.run_id / f"Pusher-{attempt}"
        folder.mkdir()
        (folder / "log.txt").write_text(f'result: {{"blessed": {blessed}, "reason": "accuracy"}}\n')
    result = rehearsal.result()
    assert result and result.blessed


def test_outputs_that_the_launcher_cannot_store_are_refused(tmp_path: Path) -> None:
    metadata = 'report["artifacts"]["model"]["artifacts"][0]["metadata"] = {"skew": None}'
    with pytest.raises(BadInput, match="model: the launcher cannot store the property skew, which is None"):
        _rehearse(_package(report=metadata), tmp_path)
    elsewhere = 'report["artifacts"]["model"]["artifacts"][0]["uri"] = "minio://bucket/root/pushed/1"'
    with pytest.raises(BadInput, match="does not upload to minio://bucket/root/pushed/1, which is outside"):
        _rehearse(_package(report=elsewhere), tmp_path)
    with pytest.raises(BadInput, match="did not report the output parameters name"):
        _rehearse(_package(report='report["parameterValues"] = {}'), tmp_path)


def test_outputs_are_copied_when_the_store_comes_back(
    tmp_path: Path, store: str, store_server: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away before the task ends, and comes back when the rehearsal has noticed it."""
    tell = progress.tell

    def begin_once_noticed(line: str) -> None:
        tell(line)
        if "does not answer" in line:
            store_server.begin()

    monkeypatch.setattr(progress, "tell", begin_once_noticed)
    flag = tmp_path / "flag"
    package = _package(
        fail=f"import time\nopen({str(flag)!r}, 'w').close()\nwhile os.path.exists({str(flag)!r}): time.sleep(.05)"
    )
    package[0]["defaultPipelineRoot"] = f"{store}/root"
    ended = _when(flag, store_server.end)
    rehearsal, outcomes = _rehearse(package, tmp_path / "rehearsal")
    ended.join()
    assert {name: (outcome.state, outcome.attempts) for name, outcome in outcomes.items()} == {
        "First": ("done", 1), "Second": ("done", 1),
    }  # fmt: skip
    assert object_store.read_text(f"{rehearsal.artifact('Second', 'model')['uri']}/weights") == "weights"
    told = capsys.readouterr().out
    assert "First" in told
    assert "the object store does not answer (" in told
    assert "the object store answers again after " in told


def test_a_missing_bucket_ends_the_rehearsal_with_one_line(tmp_path: Path, store: str) -> None:
    package = _package()
    package[0]["defaultPipelineRoot"] = "minio://gone/root"
    with pytest.raises(BadInput, match=r"^minio://gone/root/flowers/.*: no such bucket or folder \(.*\)$"):
        _rehearse(package, tmp_path)


def test_a_pipeline_root_outside_of_a_store_is_refused(tmp_path: Path) -> None:
    package = _package()
    package[0]["defaultPipelineRoot"] = "/data/runs"
    with pytest.raises(BadInput, match=r"^defaultPipelineRoot: '/data/runs' is not in an object store; give gs://, s3"):
        _rehearse(package, tmp_path)
