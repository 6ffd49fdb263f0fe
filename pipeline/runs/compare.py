"""Compares runs: their metrics, their configurations and their predictions."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from rich.table import Table

from efficientmixnet.components.evaluator.metric_names import METRICS
from efficientmixnet.components.evaluator.paired_difference import SIGNIFICANT, mcnemar_p_value
from efficientmixnet.components.report.page import number, render_comparison
from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import damage_named, made_again
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.runs.run_report import read_content, why_no_report
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.terminal import PlainConsole, fits

_NARROW = 24  # characters of a long value, which is wrapped


@dataclass(frozen=True)
class Run:
    """The data of a run that is compared."""

    summary: Summary
    content: Mapping[str, Any]
    right: Mapping[tuple[str, str], bool]  # by name and label of the image, whether the prediction is correct
    where: str = ""  # the output folder, if another run has the same name

    @property
    def name(self) -> str:
        return f"{self.where}{Path(self.summary.run).name}"


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two runs or models on the images that both predicted."""

    images: int
    only_first: int  # images that only the first one predicts correctly
    only_second: int

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray) -> "McNemar":
        """Returns the test. The arguments say whether each prediction is correct, bool [images]."""
        return cls(len(first), int((first & ~second).sum()), int((second & ~first).sum()))

    @property
    def p_value(self) -> float:
        """The probability of a difference at least this large between equally good models (McNemar, 1947; exact)."""
        return mcnemar_p_value(self.only_first, self.only_second)

    def in_words(self, first: str, second: str) -> str:
        """Returns the result as a sentence with these names."""
        verdict = "may be due to chance" if self.p_value >= SIGNIFICANT else "is unlikely to be due to chance"
        return (
            f"of {self.images:,} images in common, only {second} classifies {self.only_second:,} correctly, and "
            f"only {first} {self.only_first:,}: the difference {verdict} (McNemar, p = {self.p_value:.2g})"
        )


def read_run(summary: Summary) -> Run | None:
    """Returns the data of a run, or None if it has no report.

    Raises:
        BadInput: The data is damaged.
    """
    content = read_content(summary)
    if content is None:
        return None
    file = Path(str(summary.evaluated), PREDICTIONS_FILE)
    with damage_named(file, made_again(file.parent), pa.ArrowException):
        predictions = Predictions(file)
        images = zip(predictions.names, predictions.true_labels, strict=True)
        return Run(summary, content, dict(zip(images, predictions.outcomes().correct.tolist(), strict=True)))


def compare(summaries: Sequence[Summary]) -> list[Run]:
    """Returns the runs that can be compared, in the given order.

    Raises:
        BadInput: There are fewer than two.
    """
    found = [(summary, read_run(summary)) for summary in summaries]
    runs = [run for _, run in found if run]
    if len(runs) < 2:
        if lost := next((summary for summary, run in found if summary.evaluated and not run), None):
            raise BadInput(why_no_report(lost))
        where = ", ".join(summary.run for summary in summaries)
        raise BadInput(f"{where}: {len(runs)} of these runs evaluated a model; give two or more that did")
    return _told_apart(_told_apart(runs, lambda output: f"{output.name}/"), lambda output: f"{output}/")


def _told_apart(runs: Sequence[Run], where: Callable[[Path], str]) -> list[Run]:
    """Names the output folders of runs with the same name."""
    count = Counter(run.name for run in runs)
    return [
        replace(run, where=where(Path(run.summary.run).parent.parent)) if count[run.name] > 1 else run for run in runs
    ]


def mcnemar(first: Run, second: Run) -> McNemar:
    """Returns McNemar's test on the images, by name and label, that both runs evaluated."""
    both = first.right.keys() & second.right.keys()
    ours = np.array([first.right[one] for one in both], bool)
    theirs = np.array([second.right[one] for one in both], bool)
    return McNemar.of(ours, theirs)


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Returns the configuration keys whose values differ, with the value in each run."""
    flat = [dict(_flat(run.content["config"])) for run in runs]
    keys = dict.fromkeys(key for one in flat for key in one)
    values = {key: [one.get(key) for one in flat] for key in keys}
    return {key: row for key, row in values.items() if any(value != row[0] for value in row)}


def print_comparison(runs: Sequence[Run]) -> None:
    """Prints the runs in a table, and a line for each run that compares it with the first one.

    On a narrow terminal there are several tables, with a few runs each.
    """
    console = PlainConsole(width=None if sys.stdout.isatty() else 60 + 40 * len(runs))
    rows = _rows(runs)
    sizes = range(len(runs), 0, -1)
    size = next((size for size in sizes if all(fits(console, one) for one in _tables(runs, rows, size, _NARROW))), 1)
    for table in _tables(runs, rows, size):
        console.print(table)
        console.print()
    for line in against_first(runs):
        console.print(line, soft_wrap=True)


def _rows(runs: Sequence[Run]) -> dict[str, list[str]]:
    """The cells of each run, by the title of their row."""
    found = {}
    for prefix, measured in (("", metrics(runs)), ("test: ", metrics_on_test(runs))):
        for name, row in measured.items():
            found[prefix + METRICS[name].title] = [
                f"{number(one['value'])}  [{number(one['low'])}, {number(one['high'])}]" if one else "" for one in row
            ]
    return found | {key: [_shown(value) for value in row] for key, row in differences(runs).items()}


def _tables(
    runs: Sequence[Run], rows: Mapping[str, Sequence[str]], size: int, max_width: int | None = None
) -> Iterator[Table]:
    """A table for each `size` runs."""
    for start in range(0, len(runs), size):
        table = Table("", box=None, pad_edge=False)
        table.columns[0].no_wrap = True
        for run in runs[start : start + size]:
            width = max_width and max(max_width, len(run.name))
            table.add_column(run.name, justify="right", overflow="fold", max_width=width)
        for title, cells in rows.items():
            table.add_row(title, *cells[start : start + size])
        yield table


def metrics(runs: Sequence[Run]) -> dict[str, list[dict[str, float] | None]]:
    """Returns the metrics on the evaluation split by name, with the value and the interval in each run."""
    return _by_name(runs, [run.content for run in runs])


def metrics_on_test(runs: Sequence[Run]) -> dict[str, list[dict[str, float] | None]]:
    """Returns the metrics on the test split, as `metrics` does. It is empty if no run has a test split."""
    return _by_name(runs, [run.content.get("test") or {"metrics": []} for run in runs])


def _by_name(runs: Sequence[Run], splits: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, float] | None]]:
    classes = max(len(run.content.get("classes", ())) for run in runs)
    shown = [name for name, metric in METRICS.items() if classes >= metric.least_classes]
    by_run = [{one["name"]: one for one in split["metrics"] if one["value"] is not None} for split in splits]
    return {name: [one.get(name) for one in by_run] for name in shown if any(name in one for one in by_run)}


def best(runs: Sequence[Run]) -> dict[str, int]:
    """Returns by metric the position of the best run, for the metrics in which it is better than each other run.

    Accuracy is compared by McNemar's test if the runs evaluated the same images. Otherwise the confidence intervals
    must not overlap.
    """
    found = {name: _best(name, row, runs) for name, row in metrics(runs).items()}
    return {name: place for name, place in found.items() if place is not None}


def _best(name: str, row: Sequence[dict[str, float] | None], runs: Sequence[Run]) -> int | None:
    sign = -1 if METRICS[name].lower_is_better else 1
    measured = [place for place, one in enumerate(row) if one]
    first = max(measured, key=lambda place: sign * row[place]["value"])  # type: ignore[index]
    others = [place for place in measured if place != first]
    is_better = all(_is_better(name, sign, (row[first], runs[first]), (row[one], runs[one])) for one in others)
    return first if others and is_better else None


def _is_better(name: str, sign: int, ours: tuple[Any, Run], theirs: tuple[Any, Run]) -> bool:
    """Whether the better of two values differs by more than chance."""
    (value, run), (other_value, other) = ours, theirs
    if name == "accuracy" and run.right.keys() == other.right.keys():
        return value["value"] > other_value["value"] and mcnemar(run, other).p_value < SIGNIFICANT
    worst, best_of_other = ("low", "high") if sign > 0 else ("high", "low")
    return bool(sign * value[worst] > sign * other_value[best_of_other])


def against_first(runs: Sequence[Run]) -> Iterator[str]:
    """Yields a sentence for each other run that says whether it differs from the first one."""
    first, *others = runs
    for run in others:
        found = mcnemar(first, run)
        if found.images:
            yield found.in_words(first.name, run.name)
        else:
            yield f"{run.name} and {first.name} have no evaluated images in common"


def write_comparison(runs: Sequence[Run], file: Path) -> None:
    """Writes the comparison as an HTML page that needs no other files.

    Raises:
        BadInput: The file cannot be written.
    """
    page = render_comparison(
        names=[run.name for run in runs],
        states=[run.summary.state.replace("_", " ") for run in runs],
        metrics=metrics(runs),
        test_metrics=metrics_on_test(runs),
        best=best(runs),
        differences={key: [_shown(value) for value in row] for key, row in differences(runs).items()},
        against_first=list(against_first(runs)),
        curves=[run.content["curves"] for run in runs],
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, page)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from None


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value


def _shown(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip()
