"""Two runs in one output folder: the second one is refused, and the first one is not disturbed."""

from typing import Any

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]


def test_a_second_run_in_the_same_folder_is_refused(whole: Any) -> None:
    line = f"error: output: another run is using {whole.output}; "
    assert (whole.second.code, whole.second.err[: len(line)]) == (2, line)
    assert "\n" not in whole.second.err


def test_the_first_run_is_not_disturbed(whole: Any) -> None:
    assert (whole.first.code, whole.first.err) == (0, "")
    metrics, weights = whole.result
    assert 0 <= metrics["accuracy"] <= 1
    assert weights
