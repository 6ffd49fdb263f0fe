"""The rehearsal does what driver and launcher do; here with commands of a few lines in place of TFX."""

import copy
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.rehearsal.rehearse import Outcome, Rehearsal
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, TaskFailed

MODEL = {"artifactType": {"instanceSchema": "title: tfx.Model\ntype: object\n"}}
# Writes what it was sent beside its report, a file as its model, and what REPORT says of it.
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
    """First, whose script may fail or report something else, and Second, which takes what First puts out."""
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
    """Does that once the file is there; then the file is gone."""

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


def test_a_task_gets_what_the_driver_sends(tmp_path: Path) -> None:
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


def test_outputs_end_up_in_the_store(tmp_path: Path) -> None:
    rehearsal, _ = _rehearse(_package(), tmp_path)
    uri = rehearsal.artifact("First", "model")["uri"]
    assert (tmp_path / "store" / uri.replace("://", "/") / "weights").read_text() == "weights"


def test_what_tasks_keep_in_the_store_themselves_ends_up_there_too(tmp_path: Path) -> None:
    """Records of data and pushed models, which the launcher does not carry."""
    keep = "from efficientmixnet.kubeflow import object_store\nobject_store.write_text('minio://bucket/kept', 'kept')"
    _rehearse(_package(report=keep), tmp_path)
    assert (tmp_path / "store" / "minio" / "bucket" / "kept").read_text() == "kept"


def test_an_unchanged_task_comes_from_the_cache_and_a_changed_parameter_runs_it_and_what_follows(
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
    assert [outcome.state for outcome in again.values()] == ["done", "done"]  # its artifact is a new one


def test_a_failed_task_is_tried_again_in_a_fresh_root(tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")
    once = f"if not os.path.exists({flag!r}):\n    open({flag!r}, 'w').close()\n    os.kill(os.getpid(), 9)"
    rehearsal, outcomes = _rehearse(_package(fail=once), tmp_path)
    assert (outcomes["First"].tries, outcomes["Second"].tries) == (2, 1)
    assert rehearsal.artifact("First", "model")["uri"].endswith("/model")


def test_a_task_that_always_fails_says_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match=r"First failed; its last lines:\n.*no such color"):
        _rehearse(_package(fail="sys.exit('no such color')"), tmp_path)
    assert len(list(tmp_path.glob("runs/*/First-*"))) == 2


def test_what_the_launcher_could_not_store_or_upload_is_refused(tmp_path: Path) -> None:
    metadata = 'report["artifacts"]["model"]["artifacts"][0]["metadata"] = {"skew": None}'
    with pytest.raises(BadInput, match="cannot store metadata without a value: skew of model"):
        _rehearse(_package(report=metadata), tmp_path)
    elsewhere = 'report["artifacts"]["model"]["artifacts"][0]["uri"] = "minio://bucket/root/pushed/1"'
    with pytest.raises(BadInput, match="uploads nothing to minio://bucket/root/pushed/1, which lies outside"):
        _rehearse(_package(report=elsewhere), tmp_path)
    with pytest.raises(BadInput, match="reported no name, which the component puts out"):
        _rehearse(_package(report='report["parameterValues"] = {}'), tmp_path)


def test_a_task_survives_that_its_store_is_away_when_it_has_ended(
    tmp_path: Path, store: str, store_server: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is away before the task ends, and until the rehearsal has noticed."""
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
    assert {name: (outcome.state, outcome.tries) for name, outcome in outcomes.items()} == {
        "First": ("done", 1), "Second": ("done", 1),
    }  # fmt: skip
    assert object_store.read_text(f"{rehearsal.artifact('Second', 'model')['uri']}/weights") == "weights"
    told = capsys.readouterr().out
    assert "First" in told
    assert "the object store does not answer (" in told
    assert "the object store answers again, after " in told


def test_a_bucket_that_is_gone_ends_the_rehearsal_in_a_line(tmp_path: Path, store: str) -> None:
    package = _package()
    package[0]["defaultPipelineRoot"] = "minio://gone/root"
    with pytest.raises(BadInput, match=r"^minio://gone/root/flowers/.*: there is no such bucket or folder \(.*\)$"):
        _rehearse(package, tmp_path)
