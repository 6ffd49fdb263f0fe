"""Tests of the errors that end a run: full disks, missing permissions, moved folders and too little memory."""

import errno
import logging
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stub_pipeline import Pipeline, summaries

from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.local import local_runner
from efficientmixnet.pipeline.local.local_runner import run
from efficientmixnet.pipeline.local.stages import Stages
from efficientmixnet.pipeline.runs.run_summary import Summary


def test_a_run_without_memory_names_the_component_and_its_keys(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def transform(config: Config, sources: Any, stages: Stages, *_: Any) -> None:
        stages.handle(logging.makeLogRecord({"msg": "Component Transform is running."}))
        raise RuntimeError("MemoryError [while running 'Transform']") from MemoryError()

    monkeypatch.setattr(local_runner, "_run_pipeline", transform)
    with pytest.raises(OutOfMemory, match=r"^out of memory in Transform: .* beam\.workers, .*max_pixels") as full:
        run(config)
    assert [(one["state"], one["reason"]) for one in summaries(config)] == [("failed", str(full.value))] * 2


def test_an_interruption_on_a_full_disk_is_an_interruption(
    config: Config, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    pipeline(lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        run(config)


def test_a_disk_that_is_full_when_the_report_is_written_is_reported(
    config: Config, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_report(_: Summary) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        raise OSError(errno.ENOSPC, "No space left on device")

    pipeline(lambda: None)
    monkeypatch.setattr(local_runner, "write_report", write_report)
    with pytest.raises(BadInput, match=r"the disk of .* is full"):
        run(config)
    assert [one["state"] for one in summaries(config)] == ["failed"] * 2


def test_an_output_folder_that_cannot_be_written_is_refused(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below_a_file = config.model_copy(update={"output": str(tmp_path / "file" / "runs")})
    with pytest.raises(BadInput, match=r"output: .*/file/runs cannot be written \(Not a directory\); give another"):
        run(below_a_file)


def test_a_file_in_place_of_the_output_folder_is_refused(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"output: .*/file cannot be written"):
        run(config.model_copy(update={"output": str(tmp_path / "file")}))


def test_an_error_on_a_full_disk_is_reported_as_a_full_disk(
    config: Config, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("database or disk is full")

    pipeline(fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    with pytest.raises(
        BadInput, match=r"the disk of .* is full; free some space, then run the command again to continue"
    ):
        run(config)


def test_a_disk_that_has_space_again_after_the_failed_write_is_named(config: Config, pipeline: Pipeline) -> None:
    def fill_the_disk() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "images-00000-of-00004.gz")

    pipeline(fill_the_disk)
    with pytest.raises(BadInput, match=r"the disk of .* is full; free some space, then run the command again"):
        run(config)


def test_a_run_whose_output_nobody_reads_is_interrupted(config: Config, pipeline: Pipeline) -> None:
    def print_to_a_closed_pipe() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    pipeline(print_to_a_closed_pipe)
    with pytest.raises(KeyboardInterrupt, match=r"nobody reads the output, as after `\| head`; run the command again"):
        run(config)
    assert [one["state"] for one in summaries(config)] == ["interrupted"] * 2


def test_an_output_folder_that_is_moved_during_the_run_is_named(
    config: Config, pipeline: Pipeline, tmp_path: Path
) -> None:
    def move() -> None:
        Path(config.output).rename(tmp_path / "moved")
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "artifacts")

    pipeline(move)
    with pytest.raises(BadInput, match=rf"^output: {config.output} was moved or deleted during the run; run the comma"):
        run(config)


def test_a_file_that_a_component_may_not_read_is_named(config: Config, pipeline: Pipeline) -> None:
    def refuse() -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/images/a.png")

    pipeline(refuse)
    with pytest.raises(BadInput, match=r"^/images/a.png: Permission denied; change its permissions, or give a path"):
        run(config)
    assert [one["state"] for one in summaries(config)] == ["failed"] * 2


def test_an_output_folder_with_a_name_that_is_too_long_is_refused(config: Config, pipeline: Pipeline) -> None:
    with pytest.raises(BadInput, match=r"^output: .* cannot be written \(File name too long\); give another folder$"):
        run(config.model_copy(update={"output": f"{config.output}/{'a' * 300}"}))
