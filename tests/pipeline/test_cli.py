"""Tests of the command line: its output, its exit codes and its imports."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from efficientmixnet.modules.exceptions import BadInput, RunFailed
from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.config.config import Config, load_config
from efficientmixnet.pipeline.runs.run_summary import Images, Summary


def _call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the run: it returns a summary or raises an exception, and records its arguments."""

    class Ends:
        with_: Summary | BaseException
        config: Config
        options: dict[str, bool]

        def __call__(self, config: Config, **options: bool) -> Summary:
            self.config, self.options = config, options
            if isinstance(self.with_, BaseException):
                raise self.with_
            return self.with_

    ends = Ends()
    monkeypatch.setattr("efficientmixnet.pipeline.local.local_runner.run", ends)
    return ends


def _summary(**fields: Any) -> Summary:
    facts = {"run": "/runs/runs/1", "started": "2026-01-02T03:04:05+00:00", "tensorboard": "/runs/logs"}
    return Summary(**{"images": Images(read=1797, left_out=0), "accuracy": 0.9812, **facts, **fields})


def test_help_names_the_commands_and_the_exit_codes() -> None:
    result = _call("--help")
    assert result.exit_code == 0
    for word in ("run", "init", "predict", "3 the model was not blessed", "130 interrupted"):
        assert word in result.output


@pytest.mark.parametrize("command", ["run", "init", "predict", "digits"])
def test_every_command_has_help(command: str) -> None:
    assert _call(command, "--help").exit_code == _call(command, "-h").exit_code == 0


def test_libraries_do_not_see_our_arguments(tmp_path: Path, ends: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(sys, "argv", ["efficientmixnet", "run", "--data", str(tmp_path / "mine"), "-v"])
    ends.with_ = _summary(state="pushed", reason="", blessed=True)
    main(standalone_mode=False)
    assert sys.argv == ["efficientmixnet"]
    assert ends.options == {"verbose": True, "use_cache": True, "live": False}


def test_init_writes_a_configuration_that_run_takes(tmp_path: Path, ends: Any) -> None:
    assert _call("init", tmp_path / "my.yaml").exit_code == 0
    ends.with_ = _summary(state="pushed", reason="", blessed=True)
    assert _call("run", tmp_path / "my.yaml").exit_code == 0
    assert ends.config.output == str(tmp_path / "runs")


def test_init_prints_a_command_that_a_shell_takes(tmp_path: Path) -> None:
    printed = _call("init", tmp_path / "my cats.yaml").output
    assert f"then run `efficientmixnet run '{tmp_path}/my cats.yaml'`" in printed
    missing = _call("run", tmp_path / "no cats.yaml").output
    assert f"run `efficientmixnet init '{tmp_path}/no cats.yaml'` to create it" in missing


def test_init_does_not_overwrite(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("mine")
    result = _call("init", file)
    assert result.exit_code == 2
    assert f"error: {file}: already exists; give another name" in result.output
    assert file.read_text() == "mine"


def test_init_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "configs" / "my.yaml"
    assert f"run `efficientmixnet init {file}` to create it" in _call("run", file).output
    assert _call("init", file).exit_code == 0
    assert load_config(str(file)).output == str(tmp_path / "configs" / "runs")


def test_init_below_a_file_prints_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = _call("init", tmp_path / "file" / "my.yaml")
    assert result.exit_code == 2
    reason = f"{tmp_path}/file is not a folder that you can write to"
    assert result.output == f"error: FILE {tmp_path}/file/my.yaml: cannot be written: {reason}\n"


def test_a_run_without_data_or_configuration_is_refused() -> None:
    result = _call("run")
    assert result.exit_code == 2
    assert "error: nothing to run; give --data IMAGES or a configuration" in result.output


def test_a_bad_configuration_ends_with_2_and_all_problems(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("netwrk: {}\ntraining: {epoch: 3}\n")
    result = _call("run", file, "--set", "network.norm=gn")
    assert result.exit_code == 2
    assert "3 problems found" in result.output
    for line in ("netwrk: no such key", "training.epoch: no such key", "network.norm: 'gn' is unknown"):
        assert line in result.output


def test_a_missing_folder_ends_with_2(tmp_path: Path) -> None:
    result = _call("run", "--data", tmp_path / "none", "--output", tmp_path / "runs")
    assert result.exit_code == 2
    assert f"error: data.images: {tmp_path}/none does not exist" in result.output


def test_options_of_the_command_reach_the_run(tmp_path: Path, ends: Any) -> None:
    ends.with_ = _summary(state="pushed", reason="", blessed=True)
    keys = ("--set", "training.epochs=3", "--set", "network.norm=an")
    assert _call("run", "--data", tmp_path / "mine", "--output", tmp_path / "there", *keys, "-v").exit_code == 0
    assert (ends.config.data.images, ends.config.output) == (f"{tmp_path}/mine", f"{tmp_path}/there")
    assert (ends.config.training.epochs, ends.config.network.norm.kind) == (3, "an")
    assert ends.options == {"verbose": True, "use_cache": True, "live": False}
    _call("run", "--data", tmp_path, "--no-cache", "--live")
    assert ends.options == {"verbose": False, "use_cache": False, "live": True}


def test_a_pushed_model_ends_with_0_and_the_predict_command(ends: Any) -> None:
    ends.with_ = _summary(
        state="pushed", reason="accuracy 0.9812 reaches 0.97", blessed=True, pushed_model="/my runs/pushed/1"
    )
    result = _call("run", "--data", ".")
    assert result.exit_code == 0
    for line in (
        "0.9812 on the evaluation split",
        "blessed: accuracy 0.9812 reaches 0.97",
        "1,797 read",
        "tensorboard --logdir /runs/logs",
        "efficientmixnet predict '/my runs/pushed/1' IMAGE",
        "/runs/runs/1",
    ):
        assert line in result.output


def test_a_model_that_was_not_blessed_ends_with_3_and_the_reason(ends: Any) -> None:
    reason = "accuracy 0.5000 does not reach 0.97 (evaluation.thresholds.accuracy)"
    ends.with_ = _summary(state="not_blessed", reason=reason, blessed=False, images=Images(read=10, left_out=2))
    result = _call("run", "--data", ".")
    assert result.exit_code == 3
    assert f"not blessed: {reason}" in result.output
    assert "10 read, 2 left out (see left_out.csv)" in result.output
    assert "efficientmixnet predict" not in result.output


AGAIN = "then run the command again to continue"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("data.images: no"), 2, "error: data.images: no"),
        (RunFailed("OSError: disk full"), 1, "error: OSError: disk full"),
        (MemoryError(), 1, "error: out of memory in run: give the process more memory; " + AGAIN),
        (KeyboardInterrupt("the run goes on"), 130, "interrupted: the run goes on"),
        (KeyboardInterrupt(), 130, "interrupted: run the command again to continue"),
    ],
)
def test_errors_have_their_exit_code_and_one_line(ends: Any, error: BaseException, code: int, line: str) -> None:
    ends.with_ = error
    result = _call("run", "--data", ".")
    assert result.exit_code == code
    assert result.output.splitlines() == [
        "reading the configuration ...",
        f"listing the images of {Path.cwd()} ...",
        line,
    ]


@pytest.mark.parametrize(
    "command",
    [
        "run --data images",
        "inspect images",
        "evaluate model images",
        "report runs",
        "compare runs runs",
        "init my.yaml",
        "network B0",
        "scale",
        "plan --images 5000",
        "digits digits",
        "kubeflow compile my.yaml",
    ],
)
def test_the_first_line_says_what_a_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert _call(*command.split()).output.splitlines()[0].endswith(" ...")


def test_run_says_how_to_give_a_folder(tmp_path: Path) -> None:
    result = _call("run", tmp_path)
    assert result.exit_code == 2
    assert result.output.strip() == f"error: {tmp_path}: is a folder; give it as --data {tmp_path}"


def test_a_failed_check_leaves_no_files(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "mine").mkdir()
    for output in (tmp_path / "new" / "runs", tmp_path / "mine"):
        result = _call("run", "--data", tmp_path / "images", "--output", output)
        assert result.exit_code == 2
        assert "images" in result.output
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["images", "mine"]


def test_digits_are_not_written_twice(tmp_path: Path) -> None:
    result = _call("digits", tmp_path)
    assert "1,797 images" in result.output
    # The number of images of each class in the dataset.
    counts = [len(list((tmp_path / str(digit)).glob("*.png"))) for digit in range(10)]
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    first = tmp_path / "0" / "0000.png"
    before = first.stat().st_mtime_ns
    assert _call("digits", tmp_path).exit_code == 0
    assert first.stat().st_mtime_ns == before


def test_digits_that_were_killed_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of an image would stay, since what is there is not written again."""
    save, saved = Image.Image.save, []

    def killed(image: Image.Image, place: Path, *arguments: Any) -> None:
        saved.append(place)
        if len(saved) == 3:
            place.write_bytes(b"\x89PNG")
            raise KeyboardInterrupt
        save(image, place, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Image.Image, "save", killed)
        assert _call("digits", tmp_path).exit_code == 130
    assert _call("digits", tmp_path).exit_code == 0
    images = [path for path in tmp_path.glob("*/*.png") if not path.name.startswith(".")]
    assert len(images) == 1797
    for path in images:
        Image.open(path).load()


def test_help_and_errors_import_no_large_package(tmp_path: Path) -> None:
    code = f"""
import sys
from click.testing import CliRunner
from efficientmixnet.pipeline.cli import main
for arguments in (
    ["--help"],
    ["--version"],
    ["run", "--help"],
    ["init", "{tmp_path}/my.yaml"],
    ["run", "{tmp_path}/my.yaml", "--set", "training.optimizer=adamm", "--set", "netwrk.norm=bn"],
    ["run", "--data", "{tmp_path}/none", "--output", "{tmp_path}/runs"],
    ["predict", "{tmp_path}/none", "image.png"],
):
    print(CliRunner().invoke(main, arguments).exit_code)
print(sorted({{"tensorflow", "keras", "tfx", "apache_beam", "sklearn"}} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert found.stdout.split() == ["0", "0", "0", "0", "2", "2", "2", "[]"]


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "efficientmixnet", "run", "nothing.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: nothing.yaml: does not exist; run")
