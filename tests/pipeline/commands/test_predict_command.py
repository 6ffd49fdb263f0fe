"""Tests of the command predict: its output, what it takes as images and as a model, and what it imports."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from efficientmixnet.components.image_example_gen import files, walk
from efficientmixnet.components.image_example_gen.walk import _entries
from efficientmixnet.modules.exported_model import LABELS
from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.commands import predict_command


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory, push_brightness: Callable[..., None]) -> Path:
    """An output folder with a pushed model."""
    folder = tmp_path_factory.mktemp("output")
    push_brightness(folder / "pushed" / "7", "bright", "große Bären")
    return folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "below").mkdir(parents=True)
    Image.new("RGB", (4, 4), (51, 51, 51)).save(folder / "a.png")  # 51 / 255 = 0.2
    Image.new("RGB", (4, 4), "white").save(folder / "below" / "white.png")
    (folder / "notes.txt").write_text("no image")
    return folder


def _call(*arguments: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["predict", *map(str, arguments)], input=stdin)


def _lines(result: Result) -> list[str]:
    """What a command prints, without the lines that say what it does next."""
    return [line for line in result.output.splitlines() if not line.endswith(" ...")]


def test_the_images_of_a_folder_are_printed_in_aligned_columns(output: Path, images: Path) -> None:
    result = _call(output, images)
    assert result.exit_code == 0
    assert _lines(result) == [
        f"{images}/a.png            große Bären 0.8000  bright      0.2000",
        f"{images}/below/white.png  bright      1.0000  große Bären 0.0000",
    ]


def test_the_content_of_a_file_with_an_unknown_suffix_counts(output: Path, images: Path) -> None:
    (images / "0001").write_bytes((images / "a.png").read_bytes())
    (images / "b.raw").write_bytes(b"\0\1" * 50)
    first, second, raw, last = _lines(_call(output, images))
    assert first.startswith(f"{images}/0001 ")
    assert second.startswith(f"{images}/a.png ")
    assert raw == f"{images}/b.raw: is not an image in a supported format"
    assert last.startswith(f"{images}/below/white.png ")


def test_an_image_from_standard_input_is_predicted_as_json(output: Path, images: Path) -> None:
    result = _call(output / "pushed" / "7", "--json", "--top-k", "1", "-", stdin=(images / "a.png").read_bytes())
    (line,) = _lines(result)
    expected = {"image": "-", "predictions": [{"label": "große Bären", "probability": 0.8}]}
    assert json.loads(line) == expected


def test_images_that_cannot_be_read_end_with_2_after_the_others(output: Path, images: Path) -> None:
    (images / "torn.png").write_bytes((images / "a.png").read_bytes()[:60])
    result = _call(output, images / "missing.png", images / "torn.png", images / "a.png")
    assert result.exit_code == 2
    missing, torn, found = _lines(result)
    assert missing == f"{images}/missing.png: cannot be read: No such file or directory"
    assert torn.startswith(f"{images}/torn.png: is a truncated or corrupt")
    assert "0.8000" in found
    failed = json.loads(_lines(_call(output, "--json", images / "missing.png"))[0])
    assert failed == {"image": f"{images}/missing.png", "error": "cannot be read: No such file or directory"}


@pytest.mark.parametrize("closed", ["images", "images/below"])
def test_a_folder_that_cannot_be_listed_is_named(
    output: Path, images: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """The superuser, as in a container, can list every folder."""

    def refuse(folder: str) -> list["os.DirEntry[str]"]:
        if Path(folder) == images.parent / closed:
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return _entries(folder)

    monkeypatch.setattr(walk, "_entries", refuse)
    result = _call(output, images)
    assert result.exit_code == 2
    if closed == "images":
        message = f"error: {images}: cannot be listed: Permission denied; give a folder that you can read"
        assert _lines(result) == [message]
        return
    found, refused = _lines(result)
    assert found.startswith(f"{images}/a.png")
    assert refused.startswith(f"{images}/below: cannot be read: ")


@pytest.mark.parametrize("model", ["", "pushed"])
def test_a_folder_without_a_model_or_without_images_is_refused(tmp_path: Path, output: Path, model: str) -> None:
    (tmp_path / "pushed").mkdir()
    result = _call(tmp_path / model, "image.png")
    assert result.exit_code == 2
    assert "has no model; name a folder that a run printed" in result.output
    result = _call(output, tmp_path)
    assert _lines(result) == [f"error: {tmp_path}: has no images; give an image, or a folder with images"]


def test_a_damaged_model_ends_with_one_line(
    output: Path, images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copytree(output / "pushed" / "7", tmp_path / "7")
    graph = model / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"StatefulPartitionedCall", b"\xff" * 23))  # no text in UTF-8
    (line,) = _lines(_call(model, images / "a.png"))
    assert line.startswith(f"error: {model}: is damaged, or is not a model that a run has pushed (")
    assert capfd.readouterr().err == ""


def test_a_few_images_are_predicted_without_importing_tensorflow(output: Path, images: Path) -> None:
    found = _modules_after(f"predict {output} {images}/a.png")
    assert found == ["0", "[]", "tensorflow (1, 2)"]


def test_a_model_without_a_file_of_labels_is_predicted_with_tensorflow_alone(output: Path, images: Path) -> None:
    earlier = shutil.copytree(output / "pushed" / "7", images.parent / "earlier")
    (earlier / LABELS).unlink()
    found = _modules_after(f"predict {earlier} {images}/a.png")
    assert found == ["0", "['tensorflow']", "tensorflow (1, 2)"]


def _modules_after(command: str) -> list[str]:
    """The exit code of a command, the libraries that it has imported, and what Keras says afterwards."""
    code = f"""
import sys
from click.testing import CliRunner
from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.commands import predict_command
print(CliRunner().invoke(main, {command.split()}).exit_code)
print(sorted({{"tensorflow", "keras", "jax", "tfx", "apache_beam", "pandas", "scipy"}} & sys.modules.keys()))
import keras
import pandas
print(keras.backend.backend(), keras.ops.convert_to_numpy(keras.layers.Dense(2)(keras.ops.ones((1, 1)))).shape)
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return found.stdout.splitlines()


def test_a_file_whose_suffix_decides_is_not_opened_to_list_it(
    output: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(files, "_head", opened.append)
    assert len(_lines(_call(output, images))) == 2
    assert opened == []
    (images / "0001").write_bytes((images / "a.png").read_bytes())
    assert len(_lines(_call(output, images))) == 3
    assert opened == [f"{images}/0001"]


def test_the_first_line_comes_before_a_folder_is_listed(
    output: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def listed(folder: str) -> list["os.DirEntry[str]"]:
        order.append("listed")
        return _entries(folder)

    monkeypatch.setattr(predict_command, "announce", order.append)
    monkeypatch.setattr(walk, "_entries", listed)
    _call(output, images / "a.png", images)
    assert order == [f"listing the images of {images}", "listed", "listed", "loading TensorFlow"]


def test_the_first_line_comes_before_tensorflow_is_loaded(
    output: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(predict_command, "announce", order.append)
    monkeypatch.setattr(predict_command, "_load", lambda *_, **__: order.append("loaded"))
    _call(output, images / "a.png")
    assert order == ["loading TensorFlow", "loaded"]
