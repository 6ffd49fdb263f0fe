"""Tests of pushing: a version that exists is complete."""

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.pushed_folder import push, sizes
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    return folder


def test_a_version_has_all_files_and_the_time_as_its_name(tmp_path: Path, model: Path) -> None:
    before = int(time.time())
    version = push(model, tmp_path / "pushed")
    assert before <= int(version.name) <= time.time()
    assert sizes(version) == {"saved_model.pb": 5, "variables/data": 7}
    assert (version / "variables" / "data").read_bytes() == b"weights"


def test_each_push_is_newer_than_all_versions(tmp_path: Path, model: Path) -> None:
    future = tmp_path / "pushed" / "99999999999"
    shutil.copytree(model, future)
    (tmp_path / "pushed" / "²").mkdir()
    assert push(model, tmp_path / "pushed").name == "100000000000"
    assert push(model, tmp_path / "pushed").name == "100000000001"


def test_a_full_disk_leaves_no_version(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = push(model, tmp_path / "pushed")

    def copy_graph_only(source: Any, target: Any, **_: Any) -> None:
        os.mkdir(target)
        shutil.copy(Path(source, "saved_model.pb"), target)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copytree", copy_graph_only)
    with pytest.raises(OSError, match="No space left"):
        push(model, tmp_path / "pushed")
    assert os.listdir(tmp_path / "pushed") == [earlier.name]


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_an_incomplete_copy_does_not_become_a_version(
    tmp_path: Path, model: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree

    def copy_badly(source: Any, target: Any, *rest: Any) -> None:
        copy(source, target, *rest)
        weights = Path(target, "variables", "data")
        if weights.exists():
            weights.unlink() if damage == "missing" else weights.write_bytes(b"wei")

    monkeypatch.setattr(shutil, "copytree", copy_badly)
    found = 0 if damage == "missing" else 3
    with pytest.raises(OSError, match=f"the copy of variables/data has {found} of 7 bytes"):
        push(model, tmp_path / "pushed")
    assert os.listdir(tmp_path / "pushed") == []


def test_what_a_killed_push_leaves_is_no_version_and_is_removed_by_the_next(tmp_path: Path, model: Path) -> None:
    pushed = tmp_path / "pushed"
    shutil.copytree(model, pushed / ".1795328785.part")
    with pytest.raises(BadInput, match="has no model"):
        newest_version(pushed)
    version = push(model, pushed)
    assert os.listdir(pushed) == [version.name]
    assert newest_version(pushed) == version
