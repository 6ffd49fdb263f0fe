"""Opens and checks ML Metadata's database, which describes the results of all runs in an output folder."""

import atexit
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import damage_named, reason
from efficientmixnet.pipeline.runs.moved_output import follow_move, has_moved

if TYPE_CHECKING:
    from ml_metadata import MetadataStore
    from ml_metadata.proto.metadata_store_pb2 import Artifact

METADATA_FILE = "metadata.sqlite"
_TABLES = {"Artifact", "Execution", "Event", "Context"}  # some of ML Metadata's


def check_metadata(output: Path) -> None:
    """Checks that a run, which has locked the folder, can use the database. There is none before the first run.

    Raises:
        BadInput: The database is damaged, or there are results without it.
    """
    file, results = output / METADATA_FILE, output / "artifacts"
    if file.is_file() and file.stat().st_size:
        _check(file, may_change=True)
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

    file = _check(file, may_change=False)
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(file)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    with damage_named(file, _cure(file), mlmd.errors.StatusError):
        return mlmd.MetadataStore(connection)


def latest_ids(output: Path) -> list[int]:
    """Returns the numbers of the latest execution and the latest artifact. They change with every run of TFX."""
    with closing(_open(output / METADATA_FILE, "ro")) as database:
        return list(
            database.execute("SELECT (SELECT max(id) FROM Execution), (SELECT max(id) FROM Artifact)").fetchone()
        )


def latest_artifacts(store: "MetadataStore", kind: int) -> "list[Artifact]":
    """Returns the artifacts of the latest execution whose event is of this kind, such as Event.OUTPUT."""
    from ml_metadata import ListOptions, OrderByField

    latest = store.get_executions(ListOptions(limit=1, order_by=OrderByField.ID, is_asc=False))
    events = store.get_events_by_execution_ids([execution.id for execution in latest])
    return list(store.get_artifacts_by_id([event.artifact_id for event in events if event.type == kind]))


def _check(file: Path, may_change: bool) -> Path:
    """Returns the database to open: a copy with other paths, if the output folder was moved and may not be changed."""
    # SQLite must write to undo what a killed process has left half done.
    mode = "rw" if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK) else "ro"
    with damage_named(file, _cure(file), sqlite3.DatabaseError):
        try:
            with closing(_open(file, mode)) as database:
                (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
                tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        except sqlite3.OperationalError as error:  # It may be intact.
            raise BadInput(f"{file}: cannot be read ({error}); end the other programs that use it") from None
        if found != "ok":
            raise ValueError(found)
        if missing := sorted(_TABLES - tables):
            raise ValueError(f"it has no table {missing[0]}")
    try:
        return _at_its_place(file, mode if may_change else "ro")
    except sqlite3.OperationalError as error:
        cure = "free some space" if "full" in str(error) else "end the other programs that use it"
        raise BadInput(
            f"{file}: the output folder was moved, and its paths cannot be changed ({error}); {cure}"
        ) from None
    except OSError as error:
        raise BadInput(
            f"{file}: its output folder was moved, and a copy with the new paths cannot be written ({reason(error)}); "
            "set TMPDIR to a folder that you can write"
        ) from None


def _at_its_place(file: Path, mode: str) -> Path:
    """Lets the paths in the database, or in a copy of it, follow an output folder that was moved."""
    output = file.absolute().parent
    with closing(_open(file, mode)) as database:
        former = has_moved(database, output)
        if former is None:
            return file
        if mode == "rw":
            follow_move(database, former, output)
            return file
        folder = tempfile.TemporaryDirectory(prefix="efficientmixnet-")
        atexit.register(folder.cleanup)
        place = Path(folder.name, file.name)
        with closing(_open(place, "rwc")) as copy:
            database.backup(copy)  # A run may write to the database at the same time.
            follow_move(copy, former, output)
    return place


def _open(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True)


def _cure(file: Path) -> str:
    return f"restore it from a copy, or delete it and {file.parent / 'artifacts'} to run everything again"
