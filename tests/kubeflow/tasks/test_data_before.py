"""DataBefore finds the statistics of the previous data, and a later task fetches them."""

import json
from pathlib import Path

from efficientmixnet.kubeflow.fetched_inputs import NONE, fetch
from efficientmixnet.kubeflow.tasks import data_before
from efficientmixnet.kubeflow.tasks.task import Artifact, Task


def _before(tmp_path: Path, name: str, span: float) -> str:
    (tmp_path / name / "Split-train").mkdir(parents=True)
    (tmp_path / name / "Split-train" / "FeatureStats.pb").write_text(name)
    examples = Artifact(f"{tmp_path}/examples-{name}", {"source": "days/{SPAN}", "span": span})
    task = Task(
        {"examples": examples, "statistics": Artifact(str(tmp_path / name))},
        {},
        {"records": str(tmp_path / "records"), "spans": 1.0},  # the server sends numbers as floating-point
    )
    data_before.run(task)
    assert task.values["earlier"] == "[]"
    return task.values["before"]


def test_the_statistics_of_the_span_before_are_fetched(tmp_path: Path) -> None:
    assert _before(tmp_path, "first", 1.0) == NONE
    before = _before(tmp_path, "second", 2.0)
    now = {"name": "7", "uri": str(tmp_path / "second"), "metadata": {"split_names": '["train", "eval"]'}}
    invocation = {
        "inputs": {"parameterValues": {"previous": before}, "artifacts": {"statistics": {"artifacts": [now]}}},
        "outputs": {"outputFile": f"{tmp_path}/task/output.json"},
    }
    given = fetch(invocation, json.dumps({"previous": {"folder": "", "like": "statistics"}}))["inputs"]["artifacts"]
    (previous,) = given["previous"]["artifacts"]
    assert Path(previous["uri"], "Split-train", "FeatureStats.pb").read_text() == "first"
    assert previous["metadata"]["split_names"] == '["train", "eval"]'
    assert given["statistics"]["artifacts"] == [now]
