"""Tests of pod_errors: how the programs of pods end when something is raised."""

import os
import subprocess
import sys

import pytest

from efficientmixnet.kubeflow.pod_errors import one_line_in_a_pod
from efficientmixnet.modules.exceptions import BadInput, TrainingFailed


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("one\ntwo"), 1, "error: unexpected ValueError: one two; please report it with this log"),
        (RecursionError("too deep"), 1, "error: unexpected RecursionError: too deep; please report it with this log"),
        (KeyboardInterrupt(), 143, "interrupted: the task starts again if it has retries, or in the next run"),
        (BadInput("images: none"), 2, "error: images: none"),
        (BadInput("images: bad", [("a\x1b.png", "has zero bytes")]), 2, "  left out: a\\u001b.png has zero bytes"),
        (TrainingFailed("a worker failed"), 1, "error: a worker failed"),
    ],
)
def test_the_last_line_says_what_happened(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, one_line_in_a_pod():
        raise error
    assert caught.value.code == code
    printed = capsys.readouterr().err
    assert printed.splitlines()[-1] == line
    assert ("Traceback" in printed) == ("unexpected" in line)


@pytest.mark.parametrize(
    ("program", "arguments", "environment"),
    [
        ("entrypoint", ["--executor_class_path", "x", "--json_serialized_invocation_args", "{"], {}),
        ("training_jobs.worker", ["--component", "{"], {}),
        ("katib.trial", [], {"EFFICIENTMIXNET_TRIAL_MODEL": "{"}),
    ],
)
def test_the_programs_of_pods_end_with_one_line(
    program: str, arguments: list[str], environment: dict[str, str]
) -> None:
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", f"efficientmixnet.kubeflow.{program}", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("error: unexpected JSONDecodeError: Expecting property name")
