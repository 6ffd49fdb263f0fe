"""What the commands print is text: neither markup nor control characters of data have an effect."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from rich.table import Table

from efficientmixnet.pipeline.local.stages import Stages
from efficientmixnet.pipeline.runs import print_summary
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.runs import print_runs
from efficientmixnet.pipeline.terminal import PlainConsole, echo, echo_error, echo_json, styled

HOSTILE = "[/x][bold]:dog:\x1b[2J\x07\x9b\u202e"
AS_TEXT = "[/x][bold]:dog:\\u001b[2J\\u0007\\u009b\\u202e"


def run(**changed) -> Summary:
    facts = {"state": "failed", "reason": HOSTILE, "run": f"/runs/{HOSTILE}", "started": "2020-01-02T03:04:05+00:00"}
    return Summary(**facts | changed)


def test_markup_and_control_characters_are_printed_as_text() -> None:
    out = io.StringIO()
    table = Table(HOSTILE, "b", title=HOSTILE, box=None, pad_edge=False)
    table.add_row(HOSTILE, styled(HOSTILE, "red"))
    table.add_row("two\nlines", "1")
    console = PlainConsole(out, width=200)
    console.print(table)
    console.print(HOSTILE, styled(HOSTILE, "bold"))
    assert out.getvalue().count(AS_TEXT) == 6
    assert "two\\nlines" in out.getvalue()
    assert not set(out.getvalue()) & set(HOSTILE[-10:]) - set(AS_TEXT)


def test_only_styled_text_has_a_color() -> None:
    out = io.StringIO()
    PlainConsole(out, force_terminal=True, color_system="standard").print("[red]no[/]", styled("yes", "red"))
    assert out.getvalue() == "[red]no[/] \x1b[31myes\x1b[0m\n"


def test_runs_and_the_summary_of_a_run_are_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_runs([run(), run(state="pushed", pushed_model=f"/pushed/{HOSTILE}")])
    listed = capsys.readouterr().out
    assert listed.splitlines()[1].endswith(AS_TEXT)  # the reason; the name of a run begins behind the slash
    assert listed.count(AS_TEXT.rpartition("/")[2]) == 4
    print_summary.show(run(warnings=[HOSTILE], report=HOSTILE, pushed_model=HOSTILE, tensorboard=HOSTILE))
    assert capsys.readouterr().out.count(AS_TEXT) == 8


def test_a_stage_is_printed_as_text() -> None:
    out = io.StringIO()
    with Stages(out) as stages:
        stages.tell(HOSTILE)
    assert out.getvalue() == f"  {AS_TEXT}\n"


def test_a_line_stays_one_line_and_valid_json(capsys: pytest.CaptureFixture[str]) -> None:
    echo("one\ntwo\tthree\r")
    echo_json(run().model_dump(mode="json"))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "one\\ntwo\\tthree\\r"
    assert json.loads(second)["reason"] == HOSTILE


@pytest.mark.parametrize("name", ["token=", "--token", "a secret:", "password"])
def test_a_name_that_looks_like_a_secret_takes_no_quote_or_key_of_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    echo_json({"image": name, "predictions": [{"label": name, "probability": 0.5}]})
    found = json.loads(capsys.readouterr().out)
    assert found["predictions"][0]["probability"] == 0.5
    echo_json({"image": "s3://me:HUSH@bucket/x.png"})
    assert "HUSH" not in capsys.readouterr().out


def test_further_lines_of_an_error_are_indented(capsys: pytest.CaptureFixture[str]) -> None:
    echo_error("error: first\nsecond\x1b[1m\n    third")
    assert capsys.readouterr().err == "error: first\n  second\\u001b[1m\n    third\n"


def test_labels_paths_and_reasons_with_markup_do_not_stop_inspect(tmp_path: Path) -> None:
    rows = ["path,label"]
    for number in range(4):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}[red].png")
        rows.append(f"{number}[red].png,{('[/red]', 'one:dog:')[number % 2]}")
    rows.append(f"gone{HOSTILE}.png,[/x]:dog:")
    (tmp_path / "rows.csv").write_text("\n".join(rows), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "efficientmixnet"), "inspect", str(tmp_path), "--no-statistics"]
    command += ["--set", f"data.manifest={tmp_path}/rows.csv", "--page", str(tmp_path / "[page].html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    announced = ["reading the configuration ...", f"reading the images of {tmp_path}/rows.csv ..."]
    assert (done.returncode, done.stderr.splitlines()) == (0, announced)
    assert done.stdout.splitlines()[1].startswith("[/red]  ")
    assert done.stdout.splitlines()[2].startswith("one:dog:")
    assert f"page          {tmp_path}/[page].html" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(("value", "colored"), [("", True), ("1", False)])
def test_no_color_is_honored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str, colored: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)  # as on a terminal
    echo("word", color="red")
    assert ("\x1b[31m" in capsys.readouterr().out) == colored
