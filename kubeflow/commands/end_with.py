"""end_with: ends a command as a local run ends, with the same lines and the same exit code."""

import sys
from typing import TYPE_CHECKING

from efficientmixnet.pipeline.cli import EXIT_NOT_BLESSED
from efficientmixnet.pipeline.terminal import echo

if TYPE_CHECKING:
    from efficientmixnet.kubeflow.run_result import RunResult


def end_with(result: "RunResult") -> None:
    """Prints the result, and ends with the exit code of a local run."""
    echo("")
    for name, value in result.rows():
        echo(f"{name:<13} {value}")
    if not result.blessed:
        sys.exit(EXIT_NOT_BLESSED)
