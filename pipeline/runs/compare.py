"""Compares runs: metrics with intervals, where the configurations differ, and whether the difference is chance."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from efficientmixnet.components.evaluator.metric_names import METRICS
from efficientmixnet.components.report.page import number, render_comparison
from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.run_report import read_content
from efficientmixnet.pipeline.runs.run_summary import Summary


@dataclass(frozen=True)
class Run:
    """What is compared of a run."""

    summary: Summary
    content: Mapping[str, Any]
    right: Mapping[tuple[str, str], bool]  # by name and label of the image, whether it was named right

    @property
    def name(self) -> str:
        return Path(self.summary.run).name


@dataclass(frozen=True)
class McNemar:
    """Of the images that both runs evaluated, those that one alone names right: were they as many by chance?"""

    images: int
    first_alone: int
    second_alone: int

    @property
    def p_value(self) -> float:
        """Of the exact test (McNemar, 1947): how likely so large a difference is between equally good models."""
        from scipy.stats import binomtest  # takes half a second

        different = self.first_alone + self.second_alone
        return float(binomtest(self.first_alone, different).pvalue) if different else 1.0


def read_run(summary: Summary) -> Run | None:
    """Gathers a run; None where it left no report."""
    content = read_content(summary)
    if content is None:
        return None
    predictions = Predictions(Path(str(summary.evaluated), PREDICTIONS_FILE))
    images = zip(predictions.names, predictions.true_labels, strict=True)
    return Run(summary, content, dict(zip(images, predictions.outcomes().correct.tolist(), strict=True)))


def compare(summaries: Sequence[Summary]) -> list[Run]:
    """The runs that can be compared, in the order given.

    Raises:
        BadInput: there are fewer than two.
    """
    runs = [run for run in map(read_run, summaries) if run]
    if len(runs) < 2:
        where = ", ".join(summary.run for summary in summaries)
        raise BadInput(f"{where}: {len(runs)} of these runs left a report to compare; give two or more that did")
    return runs


def mcnemar(first: Run, second: Run) -> McNemar:
    """On the images, by name and label, that both evaluated."""
    both = first.right.keys() & second.right.keys()
    ours = np.array([first.right[one] for one in both], bool)
    theirs = np.array([second.right[one] for one in both], bool)
    return McNemar(len(both), int((ours & ~theirs).sum()), int((theirs & ~ours).sum()))


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """By key, each run's value where they are not all the same."""
    flat = [dict(_flat(run.content["config"])) for run in runs]
    keys = dict.fromkeys(key for one in flat for key in one)
    values = {key: [one.get(key) for one in flat] for key in keys}
    return {key: row for key, row in values.items() if any(value != row[0] for value in row)}


def print_comparison(runs: Sequence[Run]) -> None:
    """As a table, and a line for each run against the first one."""
    table = Table("", *(run.name for run in runs), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in metrics(runs).items():
        cells = (f"{number(one['value'])}  [{number(one['low'])}, {number(one['high'])}]" if one else "" for one in row)
        table.add_row(METRICS[name].title, *(cell.replace("[", r"\[") for cell in cells))
    table.add_section()
    for key, row in differences(runs).items():
        table.add_row(key, *(_shown(value) for value in row))
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 60 + 40 * len(runs))
    console.print(table)
    console.print()
    for line in against_first(runs):
        console.print(line, soft_wrap=True)


def metrics(runs: Sequence[Run]) -> dict[str, list[dict[str, float] | None]]:
    """By name, each run's value and interval."""
    by_run = [{one["name"]: one for one in run.content["metrics"] if one["value"] is not None} for run in runs]
    return {name: [one.get(name) for one in by_run] for name in METRICS if any(name in one for one in by_run)}


def against_first(runs: Sequence[Run]) -> Iterator[str]:
    """For each further run, whether it is better than the first one on the images of both."""
    first, *others = runs
    for run in others:
        found = mcnemar(first, run)
        if not found.images:
            yield f"{run.name} and {first.name} evaluated no image in common"
            continue
        verdict = "may well be chance" if found.p_value >= 0.05 else "is hardly chance"
        yield (
            f"of {found.images:,} images in common, {run.name} alone names {found.second_alone:,} right, "
            f"{first.name} alone {found.first_alone:,}: the difference {verdict} (McNemar, p = {found.p_value:.2g})"
        )


def write_comparison(runs: Sequence[Run], file: Path) -> None:
    """As a page of HTML that needs nothing else."""
    page = render_comparison(
        names=[run.name for run in runs],
        states=[run.summary.state.replace("_", " ") for run in runs],
        metrics=metrics(runs),
        differences={key: [_shown(value) for value in row] for key, row in differences(runs).items()},
        against_first=list(against_first(runs)),
        curves=[run.content["curves"] for run in runs],
    )
    try:
        file.write_text(page, encoding="utf-8")
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
