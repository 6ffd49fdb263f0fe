"""Tests of the checks of ML Metadata's database."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.metadata import check_metadata, latest_artifacts, open_metadata


def _store(file: Path) -> mlmd.MetadataStore:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(file)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return mlmd.MetadataStore(connection)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "metadata.sqlite"
    _store(file)
    return file


def test_an_intact_database_is_opened(database: Path) -> None:
    check_metadata(database.parent)
    assert open_metadata(database).get_artifacts() == []


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20_000])


def _overwrite_a_page(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    file.write_bytes(content)


def _write_another_format(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def _write_another_database(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE other (number)")


@pytest.mark.parametrize("damage", [_cut_off, _overwrite_a_page, _write_another_format, _write_another_database])
def test_a_damaged_database_is_named_with_the_cure(database: Path, damage: object) -> None:
    assert callable(damage)
    damage(database)
    for check in (lambda: check_metadata(database.parent), lambda: open_metadata(database)):
        with pytest.raises(BadInput) as raised:
            check()
        message = str(raised.value)
        assert message.startswith(f"{database}: is damaged (")
        assert message.endswith(f"delete it and {database.parent}/artifacts to run everything again")
        assert "\n" not in message


def test_a_database_that_another_program_has_locked_is_not_called_damaged(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, timeout=0))
    with closing(connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BadInput, match=r"cannot be read \(database is locked\); end the other programs"):
            check_metadata(database.parent)
    check_metadata(database.parent)


def test_a_moved_database_that_another_program_writes_to_is_not_called_damaged(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(database.parent, moved)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, timeout=0))
    monkeypatch.setattr("efficientmixnet.pipeline.runs.metadata.has_moved", lambda *_: "/former")
    with closing(connect(moved / database.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            BadInput, match=r"its paths cannot be changed \(database is locked\); end the other programs"
        ):
            check_metadata(moved)


def test_a_database_is_not_needed_before_the_first_run(tmp_path: Path) -> None:
    check_metadata(tmp_path)
    (tmp_path / "metadata.sqlite").touch()
    check_metadata(tmp_path)


@pytest.mark.parametrize("is_empty", [True, False])
def test_results_without_their_database_are_not_mixed_with_new_ones(tmp_path: Path, is_empty: bool) -> None:
    (tmp_path / "artifacts" / "Trainer").mkdir(parents=True)
    if is_empty:
        (tmp_path / "metadata.sqlite").touch()
    with pytest.raises(BadInput, match=rf"is missing, but describes .*; restore it, or delete {tmp_path}/artifacts"):
        check_metadata(tmp_path)


def test_the_latest_artifacts_are_those_of_the_last_execution(database: Path) -> None:
    store = _store(database)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    for uri in ("/first", "/second"):
        (artifact,) = store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind, uri=uri)])
        execution_type = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Trainer"))
        (execution,) = store.put_executions([metadata_store_pb2.Execution(type_id=execution_type)])
        store.put_events(
            [
                metadata_store_pb2.Event(
                    artifact_id=artifact, execution_id=execution, type=metadata_store_pb2.Event.OUTPUT
                )
            ]
        )
    found = latest_artifacts(open_metadata(database), metadata_store_pb2.Event.OUTPUT)
    assert [one.uri for one in found] == ["/second"]
    assert latest_artifacts(open_metadata(database), metadata_store_pb2.Event.INPUT) == []
