"""RunResult: how a run ended. Pusher, the last task, writes it as a line of its log, which `watch` reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

_MARK = "result: "


@dataclass(frozen=True)
class RunResult:
    """The result of a run that evaluated a model.

    Args:
        blessed: Whether the model is blessed.
        reason: The metrics that miss their limit, or the limits that the model keeps.
        accuracy: The accuracy on the evaluation split.
        interval: The low and high end of its 95 % confidence interval, if the configuration asks for it.
        pushed_model: Where the pushed model is.
        report: Where the report is.
        test_accuracy: The accuracy on the test split, if the data has one.
        test_interval: The low and high end of its confidence interval.
    """

    blessed: bool
    reason: str
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    pushed_model: str | None = None
    report: str | None = None
    test_accuracy: float | None = None
    test_interval: tuple[float, float] | None = None

    def to_line(self) -> str:
        """Returns the line for the log."""
        return _MARK + json.dumps(asdict(self))

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yields what a command prints at the end, as a local run does."""
        if self.test_accuracy is not None:
            tested = _with_interval(self.test_accuracy, self.test_interval)
            yield "test accuracy", f"{tested} on the test split, by which nothing was chosen"
        if self.accuracy is None:
            yield "accuracy", "unknown"
        else:
            yield "accuracy", f"{_with_interval(self.accuracy, self.interval)} on the evaluation split"
        yield "result", f"{'blessed' if self.blessed else 'not blessed'}: {self.reason}"
        yield "pushed model", self.pushed_model or "none"
        if self.report:
            yield "report", self.report


def result_of(verdict: Mapping[str, Any], pushed_model: str | None, report: str) -> RunResult:
    """Returns the result for a verdict.

    Args:
        verdict: The verdict in the report's content (components/evaluator/verdict.py).
        pushed_model: Where the pushed model is, if it was pushed.
        report: Where the report is.
    """
    return RunResult(
        blessed=verdict["blessed"],
        reason=verdict["reason"],
        accuracy=verdict["metrics"].get("accuracy"),
        interval=verdict["intervals"].get("accuracy"),
        pushed_model=pushed_model,
        report=report,
        test_accuracy=verdict.get("test_metrics", {}).get("accuracy"),
        test_interval=verdict.get("test_intervals", {}).get("accuracy"),
    )


def _with_interval(accuracy: float, bounds: Sequence[float] | None) -> str:
    return f"{accuracy:.4f}" + (f" ({bounds[0]:.4f} to {bounds[1]:.4f})" if bounds else "")


def find_result(log: str) -> RunResult | None:
    """Returns the result in a log, or None if there is none."""
    for line in reversed(log.splitlines()):
        if line.startswith(_MARK):
            try:
                return TypeAdapter(RunResult).validate_json(line.removeprefix(_MARK))
            except ValidationError:
                return None
    return None
