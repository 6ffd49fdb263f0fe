"""Tests of local runs: the lock of the output folder, and the summary. A stub replaces the pipeline."""

import csv
import errno
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from efficientmixnet.modules.exceptions import BadInput, OutOfMemory, RunFailed
from efficientmixnet.pipeline.config.config import Config, load_config
from efficientmixnet.pipeline.local import local_runner
from efficientmixnet.pipeline.local.local_runner import run
from efficientmixnet.pipeline.local.stages import Stages
from efficientmixnet.pipeline.runs.run_summary import Summary

Pipeline = Callable[[Callable[[], None]], None]

RUN_UNTIL_KILLED = """
import sys, time
from efficientmixnet.pipeline.local import local_runner
from efficientmixnet.pipeline.config.config import Config, load_config

def wait(*_):
    open(sys.argv[2], "w").close()
    time.sleep(100)

local_runner._run_pipeline = wait
local_runner.run(Config.model_validate_json(sys.argv[1]))
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two classes in both splits. The files are not images, and the output folder does not exist."""
    for name in ("train/cat", "train/dog", "eval/cat", "eval/dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.png").write_text("image")
    layout = {"split_files": {"train": "train", "eval": "eval"}}
    data = {"images": str(tmp_path / "images"), "layout": layout}
    return Config.model_validate({"output": str(tmp_path / "some" / "runs"), "data": data})


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Replaces the pipeline by a function. The model is not blessed."""

    def replace(does: Callable[[], None]) -> None:
        monkeypatch.setattr(local_runner, "_run_pipeline", lambda *_: does())

    def summarize(config: Config, folder: Path, facts: dict[str, Any]) -> Summary:
        return Summary(state="not_blessed", reason="by a stand-in", **facts)

    monkeypatch.setattr(local_runner, "_summarize", summarize)
    monkeypatch.setattr(local_runner, "_folders", lambda _: [])
    return replace


def _summaries(config: Config) -> list[dict[str, Any]]:
    """The summary in the output folder, and the summary of each run."""
    output = Path(config.output)
    files = [output / "summary.json", *sorted(output.glob("runs/*/summary.json"))]
    return [json.loads(file.read_text()) for file in files]


def test_a_run_writes_its_summary_configuration_and_log(config: Config, pipeline: Pipeline) -> None:
    pipeline(lambda: os.write(1, b"noise") and None)
    summary = run(config)
    assert _summaries(config) == [json.loads(summary.model_dump_json())] * 2
    folder = Path(summary.run)
    assert (folder / "log.txt").read_text() == "noise"
    for name in ("log.txt", "config.yaml"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    # It is the resolved configuration, which can be run again.
    written = Config.model_validate(yaml.safe_load((folder / "config.yaml").read_text()))
    assert written.network.image_size == 224
    assert written.evaluation.thresholds == {}  # With so few images, a guess could reach any accuracy.
    assert written.data == config.data
    assert {"python", "tfx", "keras", "tensorflow"} <= summary.versions.keys()


def test_the_summary_says_what_the_corrections_change(config: Config, pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline(lambda: None)
    assert run(config).corrections is None
    (tmp_path / "relabel.csv").write_text("path,label\ntrain/cat/1.png,cat\neval/cat/1.png,dog\n")
    corrected = {"corrections": str(tmp_path / "relabel.csv")}
    summary = run(config.model_copy(update={"data": config.data.model_copy(update=corrected)}))
    assert summary.corrections == "relabel.csv changes 1 label"
    assert not any("relabel.csv" in note for note in summary.splits)


@pytest.mark.parametrize(("pushed", "state"), [(1, "pushed"), (0, "not_blessed")])
def test_a_blessed_model_that_tensorflow_serving_refuses_is_not_pushed(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pushed: int, state: str
) -> None:
    from efficientmixnet.pipeline.runs import results

    measured = {key: {} for key in ("metrics", "baseline_metrics", "intervals", "test_metrics", "test_intervals")}
    verdict = SimpleNamespace(blessed=True, reason="good", **measured)
    properties = {"pushed": pushed, "pushed_destination": "/pushed/1", "images_read": 1, "images_left_out": 0}
    found = SimpleNamespace(
        verdict=lambda: verdict, uri=lambda _: None, custom_property=lambda _, name: properties.get(name)
    )
    monkeypatch.setattr(results, "Results", lambda _: found)
    facts = {"run": str(tmp_path), "started": "2026-01-02T03:04:05+00:00"}
    summary = local_runner._summarize(config, tmp_path, facts)
    assert (summary.state, summary.blessed) == (state, bool(pushed))
    assert summary.pushed_model == ("/pushed/1" if pushed else None)
    assert ("TensorFlow Serving did not load the model" in summary.reason) == (not pushed)


def test_every_run_has_its_own_folder(config: Config, pipeline: Pipeline) -> None:
    pipeline(lambda: None)
    assert run(config).run != run(config).run
    assert len(_summaries(config)) == 3


def test_a_second_run_in_the_same_folder_is_refused(config: Config, pipeline: Pipeline) -> None:
    def second_run() -> None:
        with pytest.raises(BadInput, match=r"output: another run is using .*; wait until it ends, or give another"):
            run(config)

    pipeline(second_run)
    assert run(config).state == "not_blessed"
    assert len(_summaries(config)) == 2


def test_a_killed_run_releases_the_folder(config: Config, pipeline: Pipeline, tmp_path: Path) -> None:
    words = [sys.executable, "-c", RUN_UNTIL_KILLED, config.model_dump_json(), str(tmp_path / "started")]
    with subprocess.Popen(words) as process:  # noqa: S603
        try:
            while not (tmp_path / "started").exists():
                assert process.poll() is None
            with pytest.raises(BadInput, match="another run is using"):
                run(config)
        finally:
            process.kill()
    assert [summary["state"] for summary in _summaries(config)] == ["running"] * 2
    pipeline(lambda: None)
    assert run(config).state == "not_blessed"


def test_a_failed_run_has_a_summary_and_names_the_log(config: Config, pipeline: Pipeline) -> None:
    def fail() -> None:
        raise OSError("disk full")

    pipeline(fail)
    line = r"unexpected OSError: disk full; please report it with the traceback in (.*/runs/.*/log\.txt)"
    with pytest.raises(RunFailed, match=line) as caught:
        run(config)
    log = Path(re.fullmatch(line, str(caught.value))[1])  # type: ignore[index]
    assert "in fail\n    raise OSError" in log.read_text()
    assert [(one["state"], one["reason"]) for one in _summaries(config)] == [("failed", str(caught.value))] * 2
    pipeline(lambda: None)
    assert run(config).state == "not_blessed"


def test_a_run_without_memory_names_the_component_and_its_keys(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def transform(config: Config, sources: Any, stages: Stages, *_: Any) -> None:
        stages.handle(logging.makeLogRecord({"msg": "Component Transform is running."}))
        raise RuntimeError("MemoryError [while running 'Transform']") from MemoryError()

    monkeypatch.setattr(local_runner, "_run_pipeline", transform)
    with pytest.raises(OutOfMemory, match=r"^out of memory in Transform: .* beam\.workers, .*max_pixels") as full:
        run(config)
    assert [(one["state"], one["reason"]) for one in _summaries(config)] == [("failed", str(full.value))] * 2


def test_bad_input_has_a_summary_and_a_list_of_bad_images(config: Config, pipeline: Pipeline) -> None:
    def refuse() -> None:
        raise BadInput("too many", [("cat/1.png", "has zero bytes")])

    pipeline(refuse)
    with pytest.raises(BadInput, match="too many"):
        run(config)
    _, summary = _summaries(config)
    assert (summary["state"], summary["reason"], summary["blessed"]) == ("failed", "too many", None)
    with Path(summary["run"], "left_out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["file", "reason"], ["cat/1.png", "has zero bytes"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_has_a_summary(config: Config, pipeline: Pipeline, number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    pipeline(lambda: os.kill(os.getpid(), number))
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert [one["state"] for one in _summaries(config)] == ["interrupted"] * 2
    assert signal.getsignal(signal.SIGTERM) is before


def _as_beam_does(number: signal.Signals) -> None:
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt as error:
        raise RuntimeError("KeyboardInterrupt [while running 'Evaluate']") from error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_that_a_library_hides_is_an_interruption(
    config: Config, pipeline: Pipeline, number: signal.Signals
) -> None:
    pipeline(lambda: _as_beam_does(number))
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert [(one["state"], one["reason"]) for one in _summaries(config)] == [("interrupted", "interrupted")] * 2


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
    assert [one["state"] for one in _summaries(config)] == ["failed"] * 2


def test_a_run_that_is_interrupted_while_it_writes_the_report_is_interrupted(
    config: Config, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(lambda: None)
    monkeypatch.setattr(local_runner, "write_report", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert [one["state"] for one in _summaries(config)] == ["interrupted"] * 2


def test_an_output_folder_that_cannot_be_written_is_refused(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below_a_file = config.model_copy(update={"output": str(tmp_path / "file" / "runs")})
    with pytest.raises(BadInput, match=r"output: .*/file/runs cannot be written \(Not a directory\); give another"):
        run(below_a_file)


def test_a_file_in_place_of_the_output_folder_is_refused(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"output: .*/file cannot be written"):
        run(config.model_copy(update={"output": str(tmp_path / "file")}))


def test_unusable_images_create_no_run(config: Config, tmp_path: Path) -> None:
    data = config.data.model_copy(update={"images": str(tmp_path / "none")})
    with pytest.raises(BadInput, match="does not exist"):
        run(config.model_copy(update={"data": data}))
    assert not list(Path(config.output).glob("runs/*"))


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


def test_an_output_in_an_object_store_is_refused_and_makes_no_folder(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    for given in (
        load_config(None, [], data=config.data.images, output="s3://bucket/runs"),
        load_config(None, ["output=s3://bucket/runs"], data=config.data.images),
    ):
        with pytest.raises(
            BadInput, match=r"output: s3://bucket/runs is in an object store, .* kubeflow.pipeline_root"
        ):
            run(given)
    assert set(tmp_path.iterdir()) == before


def test_a_disk_that_has_space_again_after_the_failed_write_is_named(config: Config, pipeline: Pipeline) -> None:
    def fill_the_disk() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "images-00000-of-00004.gz")

    pipeline(fill_the_disk)
    with pytest.raises(BadInput, match=r"the disk of .* is full; free some space, then run the command again"):
        run(config)


def test_a_damaged_database_is_refused_before_the_images_are_read(config: Config, pipeline: Pipeline) -> None:
    Path(config.output).mkdir(parents=True)
    database = Path(config.output, "metadata.sqlite")
    database.write_bytes(b"no database" * 1000)
    pipeline(lambda: pytest.fail("the pipeline ran"))
    with pytest.raises(BadInput, match=rf"^{database}: is damaged \(.*\); restore it from a copy, or delete it and"):
        run(config)
    assert database.read_bytes() == b"no database" * 1000


def test_a_run_whose_output_nobody_reads_is_interrupted(config: Config, pipeline: Pipeline) -> None:
    def print_to_a_closed_pipe() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    pipeline(print_to_a_closed_pipe)
    with pytest.raises(KeyboardInterrupt, match=r"nobody reads the output, as after `\| head`; run the command again"):
        run(config)
    assert [one["state"] for one in _summaries(config)] == ["interrupted"] * 2


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
    assert [one["state"] for one in _summaries(config)] == ["failed"] * 2


def test_an_output_folder_with_a_name_that_is_too_long_is_refused(config: Config, pipeline: Pipeline) -> None:
    with pytest.raises(BadInput, match=r"^output: .* cannot be written \(File name too long\); give another folder$"):
        run(config.model_copy(update={"output": f"{config.output}/{'a' * 300}"}))
