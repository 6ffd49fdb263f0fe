"""print_evaluation: prints the result of `efficientmixnet evaluate`."""

import sys
from collections.abc import Iterator, Mapping

from rich.table import Table

from efficientmixnet.components.evaluator.metric_names import METRICS
from efficientmixnet.components.image_example_gen.tables import LEFT_OUT_FILE
from efficientmixnet.components.report.page import change, number
from efficientmixnet.pipeline.evaluation.evaluate import EVALUATION_FILE, Evaluation
from efficientmixnet.pipeline.evaluation.labeled_images import LabeledImages
from efficientmixnet.pipeline.terminal import PlainConsole, echo

_NAMED = 5  # files or labels in a line


def print_evaluation(evaluation: Evaluation, images: LabeledImages) -> None:
    """Prints the metrics, what was not measured, and a line for each limit that is missed."""
    found = evaluation.found
    PlainConsole(width=None if sys.stdout.isatty() else 120).print(_metrics(found))
    console = PlainConsole(soft_wrap=True)
    console.print()
    for name, value in _rows(evaluation, images):
        console.print(f"{name:<13} {value}")
    for reason in found["missed"]:
        echo(f"missed: {reason}", err=True, color="red")


def _metrics(found: Mapping) -> Table:
    compared = ["against", "difference", "95 % interval"] if found["against"] else []
    table = Table("metric", "value", "95 % interval", *compared, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one in found["metrics"].items():
        if one["value"] is None or len(found["classes"]) < METRICS[name].least_classes:
            continue
        cells = [number(one["value"]), f"{number(one['low'])} to {number(one['high'])}"]
        if difference := one.get("difference"):
            cells += [number(one["value"] - difference["value"]), change(difference["value"])]
            cells.append(f"{change(difference['low'])} to {change(difference['high'])}")
        table.add_row(METRICS[name].title, *cells)
    return table


def _rows(evaluation: Evaluation, images: LabeledImages) -> Iterator[tuple[str, str]]:
    found, sources = evaluation.found, images.sources
    yield "images", f"{found['images']:,} measured" + (f", of the split {found['split']}" if found["split"] else "")
    if not found["split"] and (named := sorted({entry.split for entry in sources.entries if entry.split})):
        yield "note", f"the images of all splits ({', '.join(named)}) were measured; choose one with --split"
    for role, labels in found["unknown_labels"].items():
        if labels:
            total = sum(labels.values())
            yield "not measured", f"{total:,} images of labels that {found[role]} does not know: {_counts(labels)}"
    for file in evaluation.left_out[:_NAMED]:
        yield "left out", f"{file.name} {file.reason}"
    if len(evaluation.left_out) > _NAMED:
        yield "left out", f"{len(evaluation.left_out) - _NAMED:,} more files; see {LEFT_OUT_FILE}"
    if found["mcnemar"]:
        yield "comparison", found["mcnemar"]["result"]
    for reason in found["kept"]:
        yield "kept", reason
    yield "report", str(evaluation.page)
    yield "results", str(evaluation.page.with_name(EVALUATION_FILE))


def _counts(labels: Mapping[str, int]) -> str:
    return _few([f"{label} ({count:,})" for label, count in sorted(labels.items(), key=lambda item: -item[1])])


def _few(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
