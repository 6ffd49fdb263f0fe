"""RunResult: how a run ended. Pusher, the last task, writes it as a line of its log, which `watch` reads."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from efficientmixnet.pipeline.runs.accuracy_rows import accuracy_rows

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
        registered: What the model is called in the Model Registry, if it was registered.
    """

    blessed: bool
    reason: str
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    pushed_model: str | None = None
    report: str | None = None
    test_accuracy: float | None = None
    test_interval: tuple[float, float] | None = None
    registered: str | None = None

    def to_line(self) -> str:
        """Returns the line for the log."""
        return _MARK + json.dumps(asdict(self))

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yields what a command prints at the end, as a local run does."""
        yield from accuracy_rows(self.accuracy, self.interval, self.test_accuracy, self.test_interval)
        yield "result", f"{'blessed' if self.blessed else 'not blessed'}: {self.reason}"
        yield "pushed model", self.pushed_model or "none"
        if self.registered:
            yield "registered", self.registered
        if self.report:
            yield "report", self.report


def result_of(
    verdict: Mapping[str, Any], pushed_model: str | None, report: str, registered: str | None = None
) -> RunResult:
    """Returns the result for a verdict.

    Args:
        verdict: The verdict in the report's content (components/evaluator/verdict.py).
        pushed_model: Where the pushed model is, if it was pushed.
        report: Where the report is.
        registered: What the model is called in the Model Registry, if it was registered.
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
        registered=registered,
    )


def find_result(log: str) -> RunResult | None:
    """Returns the result in a log, or None if there is none."""
    for line in reversed(log.splitlines()):
        if line.startswith(_MARK):
            try:
                return TypeAdapter(RunResult).validate_json(line.removeprefix(_MARK))
            except ValidationError:
                return None
    return None
