"""RunResult: how a run ended. Pusher, the last task, writes it as a line of its log, which `watch` reads."""

import json
from collections.abc import Iterator, Mapping
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
    """

    blessed: bool
    reason: str
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    pushed_model: str | None = None
    report: str | None = None

    def to_line(self) -> str:
        """Returns the line for the log."""
        return _MARK + json.dumps(asdict(self))

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yields what a command prints at the end, as a local run does."""
        between = f" ({self.interval[0]:.4f} to {self.interval[1]:.4f})" if self.interval else ""
        known = self.accuracy is not None
        yield "accuracy", f"{self.accuracy:.4f}{between} on the evaluation split" if known else "unknown"
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
    accuracy, interval = verdict["metrics"].get("accuracy"), verdict["intervals"].get("accuracy")
    return RunResult(
        verdict["blessed"], verdict["reason"], accuracy, tuple(interval) if interval else None, pushed_model, report
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
