"""Opens and checks ML Metadata's database, which describes the results of all runs in an output folder."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.stored_file import damage_named

if TYPE_CHECKING:
    from ml_metadata import MetadataStore
    from ml_metadata.proto.metadata_store_pb2 import Artifact

METADATA_FILE = "metadata.sqlite"
_TABLES = {"Artifact", "Execution", "Event", "Context"}  # some of ML Metadata's


def check_metadata(output: Path) -> None:
    """Checks that a run can use the database. There is none before the first run.

    Raises:
        BadInput: The database is damaged, or there are results without it.
    """
    file, results = output / METADATA_FILE, output / "artifacts"
    if file.is_file() and file.stat().st_size:
        _check(file)
    elif results.is_dir() and any(results.iterdir()):
        # A new database would number its results from 1 again, and mix them with these.
        raise BadInput(f"{file}: is missing, but describes {results}; restore it, or delete {results}")


def open_metadata(file: Path) -> "MetadataStore":
    """Opens the database for reading.

    Raises:
        BadInput: The database is damaged.
    """
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2

    _check(file)
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(file)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    with damage_named(file, _cure(file), mlmd.errors.StatusError):
        return mlmd.MetadataStore(connection)


def latest_artifacts(store: "MetadataStore", kind: int) -> "list[Artifact]":
    """Returns the artifacts of the latest execution whose event is of this kind, such as Event.OUTPUT."""
    from ml_metadata import ListOptions, OrderByField

    latest = store.get_executions(ListOptions(limit=1, order_by=OrderByField.ID, is_asc=False))
    events = store.get_events_by_execution_ids([execution.id for execution in latest])
    return list(store.get_artifacts_by_id([event.artifact_id for event in events if event.type == kind]))


def _check(file: Path) -> None:
    # SQLite must write to undo what a killed process has left half done.
    mode = "rw" if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK) else "ro"
    with damage_named(file, _cure(file), sqlite3.DatabaseError):
        try:
            with closing(sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True)) as database:
                (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
                tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        except sqlite3.OperationalError as error:  # It may be intact.
            raise BadInput(f"{file}: cannot be read ({error}); end the other programs that use it") from None
        if found != "ok":
            raise ValueError(found)
        if missing := sorted(_TABLES - tables):
            raise ValueError(f"it has no table {missing[0]}")


def _cure(file: Path) -> str:
    return f"restore it from a copy, or delete it and {file.parent / 'artifacts'} to run everything again"
