"""Tests of local runs: the lock of the output folder, and the summary. A stub replaces the pipeline."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from stub_pipeline import Pipeline, summaries

from efficientmixnet.modules.exceptions import BadInput, RunFailed
from efficientmixnet.pipeline.config.config import Config, load_config
from efficientmixnet.pipeline.local import local_runner
from efficientmixnet.pipeline.local.local_runner import run

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


def test_a_run_writes_its_summary_configuration_and_log(config: Config, pipeline: Pipeline) -> None:
    pipeline(lambda: os.write(1, b"noise") and None)
    summary = run(config)
    assert summaries(config) == [json.loads(summary.model_dump_json())] * 2
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
    assert len(summaries(config)) == 3


def test_a_second_run_in_the_same_folder_is_refused(config: Config, pipeline: Pipeline) -> None:
    def second_run() -> None:
        with pytest.raises(BadInput, match=r"output: another run is using .*; wait until it ends, or give another"):
            run(config)

    pipeline(second_run)
    assert run(config).state == "not_blessed"
    assert len(summaries(config)) == 2


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
    assert [summary["state"] for summary in summaries(config)] == ["running"] * 2
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
    assert [(one["state"], one["reason"]) for one in summaries(config)] == [("failed", str(caught.value))] * 2
    pipeline(lambda: None)
    assert run(config).state == "not_blessed"


def test_bad_input_has_a_summary_and_a_list_of_bad_images(config: Config, pipeline: Pipeline) -> None:
    def refuse() -> None:
        raise BadInput("too many", [("cat/1.png", "has zero bytes")])

    pipeline(refuse)
    with pytest.raises(BadInput, match="too many"):
        run(config)
    _, summary = summaries(config)
    assert (summary["state"], summary["reason"], summary["blessed"]) == ("failed", "too many", None)
    with Path(summary["run"], "left_out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["file", "reason"], ["cat/1.png", "has zero bytes"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_has_a_summary(config: Config, pipeline: Pipeline, number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    pipeline(lambda: os.kill(os.getpid(), number))
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert [one["state"] for one in summaries(config)] == ["interrupted"] * 2
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
    assert [(one["state"], one["reason"]) for one in summaries(config)] == [("interrupted", "interrupted")] * 2


def test_a_run_that_is_interrupted_while_it_writes_the_report_is_interrupted(
    config: Config, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(lambda: None)
    monkeypatch.setattr(local_runner, "write_report", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert [one["state"] for one in summaries(config)] == ["interrupted"] * 2


def test_unusable_images_create_no_run(config: Config, tmp_path: Path) -> None:
    data = config.data.model_copy(update={"images": str(tmp_path / "none")})
    with pytest.raises(BadInput, match="does not exist"):
        run(config.model_copy(update={"data": data}))
    assert not list(Path(config.output).glob("runs/*"))


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


def test_a_damaged_database_is_refused_before_the_images_are_read(config: Config, pipeline: Pipeline) -> None:
    Path(config.output).mkdir(parents=True)
    database = Path(config.output, "metadata.sqlite")
    database.write_bytes(b"no database" * 1000)
    pipeline(lambda: pytest.fail("the pipeline ran"))
    with pytest.raises(BadInput, match=rf"^{database}: is damaged \(.*\); restore it from a copy, or delete it and"):
        run(config)
    assert database.read_bytes() == b"no database" * 1000
