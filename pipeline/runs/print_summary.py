"""show: prints the summary at the end of a run."""

import shlex

from efficientmixnet.pipeline.runs.run_summary import Search, Summary
from efficientmixnet.pipeline.terminal import PlainConsole, styled


def show(summary: Summary) -> None:
    """Prints the result of a run, and the paths of its outputs."""
    console = PlainConsole(soft_wrap=True)
    blessed = styled("blessed", "bold green") if summary.blessed else styled("not blessed", "bold red")
    rows = [
        ("accuracy", _accuracy(summary)),
        ("result", blessed, f": {summary.reason}"),
        ("images", _images(summary)),
        *([("splits", "; ".join(summary.splits))] if summary.splits else []),
        *(("warning", warning) for warning in summary.warnings),
        ("pushed model", summary.pushed_model or "none"),
        ("run folder", summary.run),
    ]
    if summary.search:
        rows.append(("search", _search(summary.search)))
    if summary.report:
        rows.append(("report", summary.report))
    if summary.tensorboard:
        rows.append(("TensorBoard", f"tensorboard --logdir {shlex.quote(summary.tensorboard)}"))
    if summary.pushed_model:
        predict = f"efficientmixnet predict {shlex.quote(summary.pushed_model)} IMAGE ..."
        rows.append(("classify", predict))
    console.print()
    for name, *parts in rows:
        console.print(f"{name:<13} ", *parts, sep="")


def _accuracy(summary: Summary) -> str:
    if summary.accuracy is None:
        return "unknown"
    bounds = summary.intervals.get("accuracy")
    between = f" ({bounds[0]:.4f} to {bounds[1]:.4f})" if bounds else ""
    return f"{summary.accuracy:.4f}{between} on the evaluation split"


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
