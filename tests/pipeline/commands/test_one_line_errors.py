"""Tests of one_line_errors: whatever a command raises ends with one line and an exit code."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from efficientmixnet.kubeflow.cli import kubeflow
from efficientmixnet.modules.exceptions import BadInput, RunFailed
from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.commands.one_line_errors import OneLineErrors


@click.group(cls=OneLineErrors)
def group() -> None: ...


@group.command()
@click.argument("kind")
def fail(kind: str) -> None:
    if kind == "recursion":
        fail.callback(kind)  # type: ignore[misc]
    raise {
        "memory": MemoryError(),
        "file": OSError(5, "Input/output error", "a.png"),
        "pipe": BrokenPipeError(32, "Broken pipe"),
        "value": ValueError("the first line\nthe second"),
        "denied": PermissionError(13, "Permission denied", "a.png"),
        "stopped": KeyboardInterrupt(),
        "input": BadInput("data.images: \x1b[2Jx does not exist"),
        "run": RunFailed("Trainer failed"),
    }[kind]


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("recursion", "error: unexpected RecursionError: maximum recursion depth exceeded"),
        ("file", "error: unexpected OSError: [Errno 5] Input/output error: 'a.png'; please report it"),
        ("pipe", "error: unexpected BrokenPipeError: [Errno 32] Broken pipe; please report it"),
        ("value", "error: unexpected ValueError: the first line the second; please report it"),
    ],
)
def test_an_unexpected_exception_is_one_line_with_the_log(kind: str, line: str, logs: Path) -> None:
    result = CliRunner().invoke(group, ["fail", kind])
    assert result.exit_code == 1
    assert result.output.startswith(line)
    (log,) = logs.iterdir()
    assert result.output.endswith(f"with the traceback in {log}\n")
    assert result.output.count("\n") == 1
    assert "in fail" in log.read_text()


def test_verbose_also_prints_the_traceback() -> None:
    result = CliRunner().invoke(group, ["fail", "value", "--verbose"])
    assert result.exit_code == 1
    first, *_, last = result.output.splitlines()
    assert first == "Traceback (most recent call last):"
    assert last.startswith("error: unexpected ValueError")


@pytest.mark.parametrize(
    ("kind", "code", "line"),
    [
        ("input", 2, "error: data.images: \\u001b[2Jx does not exist"),
        (
            "memory",
            1,
            "error: out of memory in fail: give the process more memory; then run the command again to continue",
        ),
        ("run", 1, "error: Trainer failed"),
        (
            "denied",
            2,
            "error: a.png: Permission denied; change its permissions, or give a path that you can read and write",
        ),
        ("stopped", 130, "interrupted: run the command again to continue"),
    ],
)
def test_an_expected_exception_is_its_own_line(kind: str, code: int, line: str, logs: Path) -> None:
    result = CliRunner().invoke(group, ["fail", kind])
    assert (result.exit_code, result.output) == (code, f"{line}\n")
    assert not list(logs.iterdir())


def test_the_errors_of_click_stay_as_they_are() -> None:
    result = CliRunner().invoke(group, ["fail", "value", "--nothing"])
    assert result.exit_code == 2
    assert "No such option" in result.output


def _commands(group: click.Group) -> Iterator[click.Command]:
    """The commands of the group, and of the groups in it."""
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from _commands(command)
        else:
            yield command


@pytest.mark.parametrize("command", [*_commands(main), *_commands(kubeflow)], ids=lambda one: one.name)
def test_every_command_has_the_option_verbose(command: click.Command) -> None:
    assert [option.name for option in command.params].count("verbose") == 1


def test_a_closed_pipe_ends_the_command_without_an_error() -> None:
    code = "from efficientmixnet.pipeline.cli import main; main()"
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code, "scale", "--top", "100000", "--search", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == "searching from 512 points ...\n"
    assert process.returncode in (1, 128 + signal.SIGPIPE)


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "images", "--page", "s3://bucket/page.html"),
        ("digits", "s3://bucket/digits"),
        ("init", "gs://bucket/my.yaml"),
        ("compare", "runs", "--page", "s3://bucket/page.html"),
        ("score", "model", "images", "--output", "s3://bucket/a.csv"),
        ("kubeflow", "rehearse", "package.yaml", "--output", "s3://bucket"),
    ],
)
def test_a_url_is_not_taken_for_a_local_folder(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert result.output.endswith("is in an object store; give a path on this machine\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--images", "1e300"),
        ("plan", "--images", "nan"),
        ("plan", "--images", "5000", "--training-rate", "nan"),
        ("plan", "--images", "5000", "--epochs", "9" * 30),
        ("scale", "--phi", "nan"),
        ("scale", "--max-cost", "-1"),
        ("network", "B0", "--image-size", "99999999"),
        ("network", "B0", "--classes", "9" * 30),
        ("kubeflow", "runs", "--timeout", "nan"),
        ("kubeflow", "runs", "--timeout", "-1"),
    ],
)
def test_a_number_that_cannot_work_is_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "not" in result.output.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "MODEL", "image.png"),
        ("try", "MODEL"),
        ("score", "MODEL", "images", "--output", "a.csv"),
        ("evaluate", "MODEL", "images"),
        ("report", "MODEL"),
        ("tfma", "MODEL"),
        ("lineage", "MODEL"),
        ("runs", "MODEL"),
        ("compare", "MODEL", "MODEL"),
    ],
    ids=lambda words: words[0],
)
def test_a_model_or_run_whose_name_is_not_text_is_refused(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are not UTF-8 are halves of characters in Python."""
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "a\udcff" / "pushed" / "7"
    model.mkdir(parents=True)
    (model / "saved_model.pb").touch()
    (tmp_path / "images").mkdir()
    arguments = [str(tmp_path / "a\udcff") if word == "MODEL" else word for word in words]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    named = f"{tmp_path}/a\\udcff"
    expected = f"error: '{named}': has a character that is not text (\\udcff); rename the folder"
    assert result.output.splitlines()[-1] == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a\udcff", "images"]
