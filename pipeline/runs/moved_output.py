"""An output folder or a run that was moved, renamed or mounted at another place: the paths in its files follow it.

A run writes absolute paths, for people and for TFX. They are read as paths below the folder in which the file is now.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from efficientmixnet.components.image_example_gen.skipped import OUTPUT_MARK
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.run_summary import Summary

_RUNS = "runs"  # in an output folder
_PATHS = ("run", "pushed_model", "tensorboard", "report", "evaluated")
_ARTIFACT_PARTS = 4  # artifacts/COMPONENT/OUTPUT/EXECUTION
_COLUMNS = (("Artifact", "uri"), ("ArtifactProperty", "string_value"), ("ExecutionProperty", "string_value"))


def summary_at(summary: Summary, folder: str) -> Summary:
    """Returns the summary with the paths of the folder in which it is now.

    Args:
        summary: The summary.
        folder: The folder of the run or the output folder, from which it was read.

    Raises:
        BadInput: The last run of the output folder is missing.
    """
    here, former = Path(os.path.abspath(folder)), Path(summary.run)
    is_output = any((here / name).exists() for name in (_RUNS, OUTPUT_MARK))
    run = here / _RUNS / former.name if is_output else here
    if not run.is_dir():
        raise BadInput(f"{folder}: its last run, {run}, is missing; restore it, or give the folder of another run")
    moves = [(former, run)]
    if run.parent.name == _RUNS:
        moves.append((former.parent.parent, run.parent.parent))
    paths = {name: getattr(summary, name) for name in _PATHS}
    return summary.model_copy(update={name: _moved(path, moves) for name, path in paths.items() if path})


def artifact_at(uri: str, output: Path) -> str:
    """Returns the folder of an artifact in the output folder in which it is now.

    Args:
        uri: The folder of the artifact when it was written.
        output: The output folder.
    """
    inside = output.joinpath(*Path(uri).parts[-_ARTIFACT_PARTS:])
    return str(inside) if inside.is_dir() else uri


def has_moved(database: sqlite3.Connection, output: Path) -> Path | None:
    """Returns the former output folder of ML Metadata's database, or None if it is still the same."""
    former = _former_output(database)
    return former if former and former != output else None


def follow_move(database: sqlite3.Connection, former: Path, output: Path) -> None:
    """Replaces the former output folder in the paths of ML Metadata's database."""
    begins = f"{former}/"
    with database:
        for table, column in _COLUMNS:
            database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
                (f"{output}/", len(begins) + 1, len(begins), begins),
            )


def _former_output(database: sqlite3.Connection) -> Path | None:
    """The output folder of the latest artifact. All others are in the same one."""
    found = database.execute("SELECT uri FROM Artifact WHERE uri LIKE '/%/artifacts/%/%/%' ORDER BY id DESC LIMIT 1")
    row = found.fetchone()
    uri = Path(row[0]) if row else None
    return uri.parents[_ARTIFACT_PARTS - 1] if uri and uri.parts[-_ARTIFACT_PARTS] == "artifacts" else None


def _moved(path: str, moves: Sequence[tuple[Path, Path]]) -> str:
    """The path below the first folder that it was in, or the path itself."""
    found = (str(now / Path(path).relative_to(former)) for former, now in moves if Path(path).is_relative_to(former))
    return next(found, path)
