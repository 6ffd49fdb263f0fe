"""Tests of cached results: one that has lost files, or whose pushed model is gone, is not used."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.orchestration.portable import cache_utils
from tfx.types import standard_artifacts

from efficientmixnet.pipeline.local.complete_results import only_complete_results, record_sizes

Outputs = dict[str, list[types.Artifact]]


@pytest.fixture
def look_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outputs | None], Any]:
    """Looks up a result for which TFX's own cache has these outputs."""

    def call(outputs: Outputs | None) -> Any:
        monkeypatch.setattr(cache_utils, "get_cached_outputs", lambda metadata, cache_context: outputs)
        with only_complete_results(Path("/runs")):
            return cache_utils.get_cached_outputs(None, cache_context=None)

    return call


def _result(folder: Path, kind: type[types.Artifact] = standard_artifacts.Examples) -> types.Artifact:
    (folder / "Split-train").mkdir(parents=True)
    (folder / "Split-train" / "images-00000-of-00001.gz").write_bytes(b"records")
    (folder / "left_out.csv").touch()
    artifact = kind()
    artifact.uri = str(folder)
    return artifact


def test_a_complete_result_is_used(tmp_path: Path, look_up: Callable[..., Any]) -> None:
    outputs = {"examples": [_result(tmp_path / "1")], "more": []}
    record_sizes([tmp_path / "1", tmp_path / "absent"])
    assert look_up(outputs) is outputs
    assert look_up(None) is None


@pytest.mark.parametrize("damage", ["missing", "cut off", "empty", "longer"])
def test_a_result_with_a_file_that_is_missing_or_has_another_size_is_made_again(
    tmp_path: Path, look_up: Callable[..., Any], damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {"examples": [_result(tmp_path / "1")]}
    record_sizes([tmp_path / "1"])
    shard = tmp_path / "1" / "Split-train" / "images-00000-of-00001.gz"
    if damage == "missing":
        shard.unlink()
    else:
        shard.write_bytes({"cut off": b"rec", "empty": b"", "longer": b"records, and more"}[damage])
    assert look_up(outputs) is None
    assert f"{shard} is missing or incomplete" in capsys.readouterr().out


def test_sizes_are_recorded_once(tmp_path: Path, look_up: Callable[..., Any]) -> None:
    outputs = {"examples": [_result(tmp_path / "1")]}
    record_sizes([tmp_path / "1"])
    (tmp_path / "1" / "left_out.csv").unlink()
    record_sizes([tmp_path / "1"])
    assert look_up(outputs) is None


@pytest.mark.parametrize("record", [None, "", "[7]", "{"])
def test_a_result_without_a_readable_record_is_used(
    tmp_path: Path, look_up: Callable[..., Any], record: str | None
) -> None:
    outputs = {"examples": [_result(tmp_path / "1")]}
    if record is not None:
        (tmp_path / ".1.sizes.json").write_text(record)
    assert look_up(outputs) is outputs


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("damage", [None, "deleted", "file missing", "file cut off", "card added"])
def test_a_pushed_model_that_is_gone_or_incomplete_is_pushed_again(
    tmp_path: Path, look_up: Callable[..., Any], damage: str | None, recorded: bool
) -> None:
    result, pushed = _result(tmp_path / "1", standard_artifacts.PushedModel), tmp_path / "pushed" / "1795328785"
    shutil.copytree(tmp_path / "1", pushed)
    result.set_int_custom_property("pushed", 1)
    result.set_string_custom_property("pushed_destination", str(pushed))
    if recorded:
        record_sizes([tmp_path / "1"])
    if damage == "deleted":
        shutil.rmtree(pushed)
    elif damage == "file missing":
        (pushed / "left_out.csv").unlink()
    elif damage == "file cut off":
        (pushed / "Split-train" / "images-00000-of-00001.gz").write_bytes(b"rec")
    elif damage == "card added":
        (pushed / "MODEL_CARD.md").touch()
    is_used = look_up({"pushed_model": [result]}) is not None
    assert is_used == (damage in (None, "card added"))


def test_a_model_that_was_not_pushed_is_not_looked_for(tmp_path: Path, look_up: Callable[..., Any]) -> None:
    result = _result(tmp_path / "1", standard_artifacts.PushedModel)
    result.set_int_custom_property("pushed", 0)
    assert look_up({"pushed_model": [result]}) is not None


def test_the_cache_is_restored_afterwards() -> None:
    before = cache_utils.get_cached_outputs
    with only_complete_results(Path("/runs")):
        assert cache_utils.get_cached_outputs is not before
    assert cache_utils.get_cached_outputs is before


def test_the_key_of_a_result_does_not_depend_on_the_place_of_the_output_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(metadata_handle: Any, input_artifacts: Any = None, parameters: Any = None) -> Any:
        return [one.mlmd_artifact.SerializeToString(deterministic=True) for one in input_artifacts["model"]], parameters

    monkeypatch.setattr(cache_utils, "get_cache_context", key)
    keys = []
    for place in ("/runs", "/moved/runs"):
        artifact = standard_artifacts.Model()
        artifact.uri = f"{place}/artifacts/Trainer/model/6"
        artifact.set_string_custom_property("pushed_destination", f"{place}/pushed/7")
        artifact.set_string_custom_property("other", "/elsewhere/runs/7")
        config = {"checkpoints": f"{place}/checkpoints", "images": "/data"}
        parameters = {"custom_config": json.dumps(config), "steps": 3}
        with only_complete_results(Path(place)):
            keys.append(
                cache_utils.get_cache_context(None, input_artifacts={"model": [artifact]}, parameters=parameters)
            )
        assert artifact.uri == f"{place}/artifacts/Trainer/model/6"
        assert place in parameters["custom_config"]
    assert keys[0] == keys[1]
    assert cache_utils.get_cache_context is key
    assert "/elsewhere/runs/7" in str(keys[0])
    assert json.loads(keys[0][1]["custom_config"]) == {"checkpoints": "checkpoints", "images": "/data"}
