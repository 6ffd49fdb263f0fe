"""Lists the runs of an output folder from their summaries, without TensorFlow and TFX."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.failures.refused_by_system import refused_by_system
from efficientmixnet.modules.files.check_name import check_name
from efficientmixnet.modules.files.stored_file import reason
from efficientmixnet.pipeline.runs.moved_output import summary_at
from efficientmixnet.pipeline.runs.run_summary import SUMMARY_FILE, Summary
from efficientmixnet.pipeline.terminal import PlainConsole, echo, fits, styled

_CURE = "restore it, or delete its folder"
_TEST, _RESULT = "test accuracy", "model or reason"
_NUMBERS = ("accuracy", "macro_f1", "loss", _TEST, "minutes")
_COLUMNS = ("run", "state", *_NUMBERS, _RESULT)
_LEAST_FIRST = ("minutes", "loss", "macro_f1", _RESULT, _TEST, "accuracy", "state")  # where the terminal is narrow
_NARROW = 24  # characters of a column that is wrapped
_COLORS = {"pushed": "green", "not_blessed": "red", "failed": "red", "interrupted": "yellow", "running": "cyan"}


def read_summary(run: str) -> Summary:
    """Returns the summary of a run, or of the last run in an output folder. Its paths are those of the folder now.

    Args:
        run: The folder of a run, or an output folder.

    Raises:
        BadInput: There is no valid summary, the last run is missing, or the folder's name is not text.

    Example:
        >>> read_summary("runs").accuracy
        0.9913
    """
    check_name(run)
    file = Path(run, SUMMARY_FILE)
    try:
        summary = Summary.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{run}: has no {SUMMARY_FILE}; give the folder of a run, or an output folder") from None
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else first["msg"]
        raise BadInput(f"{file}: is not the summary of a run ({what}); {_CURE}") from None
    except (OSError, ValueError) as error:
        refused = refused_by_system(error)  # The file may be whole.
        raise BadInput(refused or f"{file}: cannot be read ({reason(error)}); {_CURE}") from None
    return summary_at(summary, run)


def runs_of(output: str) -> list[Summary]:
    """Returns the summaries of all runs in an output folder, oldest first. Names those that cannot be read.

    Raises:
        BadInput: There are no runs, or the folder's name is not text.
        OSError: The folder cannot be listed.
    """
    check_name(output)
    try:
        found = sorted(filter(_is_there, (folder / SUMMARY_FILE for folder in Path(output, "runs").iterdir())))
    except (FileNotFoundError, NotADirectoryError):
        found = []
    if not found:
        raise BadInput(f"{output}: has no runs; give the output folder of `efficientmixnet run`")
    return list(_readable(found))


def _is_there(file: Path) -> bool:
    """Returns whether there is a file, also if it cannot be read, so that it is named."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def runs_beside(summary: Summary) -> list[Summary]:
    """Returns the summaries of all runs in the same output folder, or only this one if its folder was copied."""
    runs = Path(summary.run).parent
    return runs_of(str(runs.parent)) if runs.name == "runs" else [summary]


def _readable(files: Sequence[Path]) -> Iterator[Summary]:
    for file in files:
        try:
            yield read_summary(str(file.parent))
        except BadInput as error:
            echo(f"left out: {error}", err=True)


def print_runs(summaries: Sequence[Summary]) -> None:
    """Prints a table with a row for each run. On a narrow terminal, it has fewer columns."""
    console = PlainConsole(width=None if sys.stdout.isatty() else 160)
    columns = {name: [_cell(summary, name) for summary in summaries] for name in _COLUMNS}
    if not any(columns[_TEST]):
        del columns[_TEST]
    for dropped in ("", *_LEAST_FIRST):
        columns.pop(dropped, None)
        table = _table(columns)
        table.columns[-1].max_width = _NARROW  # A long reason is wrapped.
        if fits(console, table):
            break
    table.columns[-1].max_width = None
    console.print(table)


def _table(columns: Mapping[str, Sequence[str | Text]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    table.columns[0].no_wrap = True
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _cell(summary: Summary, column: str) -> str | Text:
    if column == "run":
        return Path(summary.run).name
    if column == "state":
        return styled(summary.state.replace("_", " "), _COLORS[summary.state])
    if column == "minutes":
        return f"{(summary.elapsed or sum(summary.seconds.values())) / 60:.1f}"
    if column == _RESULT:
        return Path(summary.pushed_model).name if summary.pushed_model else summary.reason
    value = summary.test_accuracy if column == _TEST else summary.metrics.get(column)
    return "" if value is None else f"{value:.4f}"
