"""Tests of the Pusher's executor: what is pushed, and what the component records of it."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from efficientmixnet.components.pusher import Pusher


def _push(tmp_path: Path, blessed: bool) -> standard_artifacts.PushedModel:
    model, blessing, pushed = (
        standard_artifacts.Model(), standard_artifacts.ModelBlessing(), standard_artifacts.PushedModel(),
    )  # fmt: skip
    for artifact, name in ((model, "model"), (blessing, "blessing"), (pushed, "result")):
        artifact.uri = str(tmp_path / name)
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "model" / "Format-Serving").mkdir(exist_ok=True)
    (tmp_path / "model" / "Format-Serving" / "saved_model.pb").write_bytes(b"graph")
    blessing.set_int_custom_property("blessed", int(blessed))
    executor = Pusher.EXECUTOR_SPEC.executor_class()
    executor.Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {"push_destination": json.dumps({"filesystem": {"base_directory": str(tmp_path / "pushed")}})},
    )
    return pushed


def test_a_blessed_model_is_pushed_and_recorded(tmp_path: Path) -> None:
    pushed = _push(tmp_path, blessed=True)
    (version,) = os.listdir(tmp_path / "pushed")
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "pushed" / version)
    assert pushed.get_string_custom_property("pushed_version") == version
    assert (tmp_path / "pushed" / version / "saved_model.pb").read_bytes() == b"graph"
    assert (tmp_path / "result" / "saved_model.pb").read_bytes() == b"graph"


def test_a_model_that_is_not_blessed_is_not_pushed(tmp_path: Path) -> None:
    pushed = _push(tmp_path, blessed=False)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "pushed").exists()


def test_nothing_is_pushed_if_the_result_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_the_disk(source: str, target: str, **_: object) -> None:
        assert target == str(tmp_path / "result")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copytree", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        _push(tmp_path, blessed=True)
    assert not (tmp_path / "pushed").exists()
