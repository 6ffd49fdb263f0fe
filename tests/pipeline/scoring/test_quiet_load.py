"""Tests of quiet_load."""

import os
import sys

import pytest

from efficientmixnet.pipeline.scoring.quiet_load import quiet_load


def test_what_is_written_to_standard_error_is_discarded(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_load():
        os.write(2, b"noise")
    os.write(2, b"after it")
    assert capfd.readouterr().err == "after it"


def test_a_closed_standard_error_is_left_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with quiet_load():
        pass
    assert sys.stderr is None
