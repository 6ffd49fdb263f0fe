"""Tests of the lineage of a pushed model."""

import json
import os
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as metadata

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.lineage import as_json, lineage, print_lineage
from efficientmixnet.pipeline.runs.run_summary import Summary


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output folder of two runs that pushed a model. The second run used cached examples."""
    output = tmp_path.resolve()
    connection = metadata.ConnectionConfig()
    connection.sqlite.filename_uri = str(output / "metadata.sqlite")
    connection.sqlite.connection_mode = metadata.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = mlmd.MetadataStore(connection)

    def execution(name: str, reads: list[int], writes: list[int], **properties: str) -> None:
        kind = store.put_execution_type(metadata.ExecutionType(name=name))
        one = metadata.Execution(type_id=kind)
        for key, value in properties.items():
            one.custom_properties[key].string_value = value
        (number,) = store.put_executions([one])
        store.put_events(
            [metadata.Event(artifact_id=read, execution_id=number, type=metadata.Event.INPUT) for read in reads]
            + [metadata.Event(artifact_id=made, execution_id=number, type=metadata.Event.OUTPUT) for made in writes]
        )

    def artifact(name: str, uri: str, **properties: str) -> int:
        kind = store.put_artifact_type(metadata.ArtifactType(name=name))
        one = metadata.Artifact(type_id=kind, uri=uri)
        for key, value in properties.items():
            one.custom_properties[key].string_value = value
        return store.put_artifacts([one])[0]

    examples = artifact("Examples", "/examples")
    execution("ours.ImageExampleGen", [], [examples], images="/images", fingerprint="abc", manifest="")
    for number in ("1", "2"):
        folder = output / "pushed" / number
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
        model = artifact("Model", f"/model/{number}")
        if number == "2":
            execution("ours.ImageExampleGen", [], [examples], images="/images")
        found = artifact("HyperParameters", str(output / "found"))
        if number == "2":
            execution("ours.Tuner", [examples], [found])
        execution("tfx.Trainer", [examples, found] if number == "2" else [examples], [model])
        execution("tfx.Pusher", [model], [artifact("PushedModel", "/p", pushed_destination=str(folder))])
    (output / "found").mkdir()
    values = {"training.learning_rate": 0.003, "network.norm": '"an"', "tuner/epochs": 9}
    (output / "found" / "best_hyperparameters.txt").write_text(json.dumps({"values": values}))
    run = output / "runs" / "20200102"
    run.mkdir(parents=True)
    Summary(
        state="pushed",
        reason="accuracy 0.9 reaches 0.5",
        run=str(run),
        started="2020-01-02T03:04:05+00:00",
        pushed_model=str(output / "pushed" / "2"),
        revision="c0ffee",
    ).write(run)
    return output


def test_the_lineage_leads_to_the_execution_that_made_the_examples(output):
    found = lineage(str(output / "pushed"))
    assert found.model == str(output / "pushed" / "2")
    assert [step.component for step in found.steps] == ["ImageExampleGen", "Tuner", "Trainer", "Pusher"]
    assert found.steps[0].properties["fingerprint"] == "abc"
    assert found.steps[2].outputs == ["/model/2"]
    assert as_json(found)["summary"]["revision"] == "c0ffee"


def test_an_older_model_has_a_lineage_even_if_its_runs_folder_is_deleted(output):
    found = lineage(str(output / "pushed" / "1"))
    assert found.summary is None
    assert [step.outputs for step in found.steps] == [["/examples"], ["/model/1"], ["/p"]]


def test_data_code_and_configuration_are_shown(output, capsys):
    print_lineage(lineage(str(output / "pushed" / "2")))
    shown = capsys.readouterr().out
    for part in ("images: /images", "fingerprint: abc", "c0ffee", "20200102/config.yaml", "accuracy 0.9 reaches"):
        assert part in shown
    assert "manifest" not in shown


def test_found_hyperparameters_are_shown_at_trainer(output, capsys):
    found = lineage(str(output / "pushed" / "2"))
    assert [step.found for step in found.steps] == [
        {},
        {},
        {"training.learning_rate": 0.003, "network.norm": "an"},
        {},
    ]
    print_lineage(found)
    assert "training.learning_rate: 0.003 (found by the search)" in capsys.readouterr().out


def test_a_model_that_no_run_has_pushed_is_refused(output, tmp_path):
    stranger = output / "pushed" / "3"
    stranger.mkdir()
    (stranger / "saved_model.pb").touch()
    with pytest.raises(BadInput, match="has no run that pushed this model"):
        lineage(str(stranger))
    with pytest.raises(BadInput, match=r"has no metadata\.sqlite"):
        lineage(str(tmp_path / "elsewhere" / "pushed" / "1"))


def test_a_folder_that_cannot_be_read_is_not_called_one_without_runs(output, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError, match="pushed"):
        lineage(str(output / "pushed"))


def test_a_damaged_database_is_named(output):
    (output / "metadata.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(BadInput, match=rf"^{output}/metadata\.sqlite: is damaged \(.*file is not a database\)"):
        lineage(str(output / "pushed"))


@pytest.mark.parametrize("written", [b"", b"\xff", b"[]", b'{"values": 7}', b'{"values": {"network.norm": "{"}}'])
def test_damaged_hyperparameters_are_named(output, written):
    (output / "found" / "best_hyperparameters.txt").write_bytes(written)
    with pytest.raises(BadInput, match=rf"^{output}/found/best_hyperparameters\.txt: is damaged"):
        lineage(str(output / "pushed"))
