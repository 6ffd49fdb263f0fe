"""show: prints the summary at the end of a run."""

import shlex

from efficientmixnet.pipeline.runs.accuracy_rows import accuracy_rows
from efficientmixnet.pipeline.runs.run_summary import Search, Summary
from efficientmixnet.pipeline.short_path import short_path
from efficientmixnet.pipeline.terminal import PlainConsole, styled


def show(summary: Summary) -> None:
    """Prints the result of a run, and the paths of its outputs."""
    console = PlainConsole(soft_wrap=True)
    blessed = styled("blessed", "bold green") if summary.blessed else styled("not blessed", "bold red")
    rows = [
        *accuracy_rows(
            summary.accuracy,
            summary.intervals.get("accuracy"),
            summary.test_accuracy,
            summary.test_intervals.get("accuracy"),
        ),
        ("result", blessed, f": {summary.reason}"),
        ("images", _images(summary)),
        *([("splits", "; ".join(summary.splits))] if summary.splits else []),
        *([("corrections", summary.corrections)] if summary.corrections else []),
        *(("warning", warning) for warning in summary.warnings),
        ("pushed model", short_path(summary.pushed_model) if summary.pushed_model else "none"),
        ("run folder", short_path(summary.run)),
    ]
    if summary.search:
        rows.append(("search", _search(summary.search)))
    if summary.report:
        rows.append(("report", short_path(summary.report)))
    if summary.tensorboard:
        rows.append(("TensorBoard", f"tensorboard --logdir {shlex.quote(short_path(summary.tensorboard))}"))
    if summary.pushed_model:
        model = shlex.quote(short_path(summary.pushed_model))
        rows.append(("classify", f"efficientmixnet predict {model} IMAGE ..."))
        rows.append(("in a browser", f"efficientmixnet try {model}"))
    console.print()
    for name, *parts in rows:
        console.print(f"{name:<13} ", *parts, sep="")


def _search(search: Search) -> str:
    values = ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in search.values.items()
    )
    failed = f", {search.failed} of them failed" if search.failed else ""
    return f"best of {search.trials} trials{failed}: {search.objective} {search.best:.4f} with {values} (trials.csv)"


def _images(summary: Summary) -> str:
    if summary.images is None:
        return "unknown"
    left_out = summary.images.left_out
    return f"{summary.images.read:,} read" + (f", {left_out:,} left out (see left_out.csv)" if left_out else "")
