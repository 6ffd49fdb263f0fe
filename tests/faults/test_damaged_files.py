"""A damaged file of each kind ends a command with one line that names it, or does not matter."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def garbled(content: bytes) -> bytes:
    """Replaces a tenth of the file, in the middle."""
    middle, length = len(content) // 2, max(8, len(content) // 10)
    return content[:middle] + b"\xff" * length + content[middle + length :]


def empty(content: bytes) -> bytes:
    return b""


DAMAGES = (truncated, garbled, empty)


@contextmanager
def damaged(file: Path, damage: Any) -> Iterator[None]:
    """Damages the file in the body."""
    content = file.read_bytes()
    file.write_bytes(damage(content))
    try:
        yield
    finally:
        file.write_bytes(content)


def assert_is_one_line(ended: Any, name: str) -> None:
    """One line that names the file or the model, and an exit code for an error."""
    assert ended.code in (1, 2), ended
    assert ended.err.startswith("error: "), ended.err
    assert "\n" not in ended.err, ended.err
    assert name in ended.err


# The file, and the command that reads it. RUN and OUTPUT are the folders.
READ_BY_COMMANDS = {
    "summary.json": ("RUN/summary.json", "report RUN"),
    "content.json": ("OUTPUT/artifacts/Report/report/*/content.json", "report RUN"),
    "predictions.parquet": ("OUTPUT/artifacts/Report/report/*/predictions.parquet", "compare RUN RUN"),
    "saved_model.pb": ("OUTPUT/pushed/*/saved_model.pb", "predict OUTPUT/pushed IMAGE"),
    "variables.index": ("OUTPUT/pushed/*/variables/variables.index", "predict OUTPUT/pushed IMAGE"),
    "metadata.sqlite": ("OUTPUT/metadata.sqlite", "lineage OUTPUT/pushed"),
}
# The file of a component, and a setting that makes another component read it.
READ_BY_COMPONENTS = {
    "ingested images": ("ImageExampleGen/examples/*/Split-train/*.gz", "network.image_size=24"),
    "schema": ("SchemaGen/schema/*/schema.pbtxt", "network.image_size=25"),
    "transformed images": ("Transform/transformed_examples/*/Split-train/*.gz", "training.seed=1"),
    "transform graph": ("Transform/transform_graph/*/transform_fn/saved_model.pb", "training.seed=2"),
    "model": ("Trainer/model/*/Format-Serving/saved_model.pb", "evaluation.thresholds.accuracy=0.02"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", READ_BY_COMMANDS)
def test_a_command_names_the_damaged_file(command: Any, whole: Any, kind: str, damage: Any) -> None:
    places = {"RUN": whole.run, "OUTPUT": str(whole.output), "IMAGE": str(command.an_image)}
    pattern, words = READ_BY_COMMANDS[kind]
    for name, place in places.items():
        pattern, words = pattern.replace(name, place), words.replace(name, place)
    file = largest(Path("/"), pattern.removeprefix("/"))
    with damaged(file, damage):
        ended = command(*words.split())
    in_a_model = file.is_relative_to(whole.output / "pushed")
    assert_is_one_line(ended, "/pushed/" if in_a_model else file.name)


@pytest.mark.parametrize("damage", [truncated, garbled])
def test_a_run_names_the_damaged_database(command: Any, whole: Any, damage: Any) -> None:
    file = whole.output / "metadata.sqlite"
    with damaged(file, damage):
        ended = command.run(whole.output, "--set", "training.seed=1")
    assert_is_one_line(ended, file.name)


@pytest.mark.parametrize("kind", READ_BY_COMPONENTS)
def test_a_run_names_the_damaged_file_of_an_artifact(command: Any, whole: Any, kind: str) -> None:
    pattern, setting = READ_BY_COMPONENTS[kind]
    file = largest(whole.output / "artifacts", pattern)
    with damaged(file, garbled):
        ended = command.run(whole.output, "--set", setting)
    assert_is_one_line(ended, file.name)


@pytest.mark.parametrize("kind", [kind for kind in READ_BY_COMPONENTS if kind != "model"])
def test_a_run_makes_an_artifact_again_that_was_cut_off(
    command: Any, whole: Any, result: Any, tmp_path: Path, kind: str
) -> None:
    output = shutil.copytree(whole.output, tmp_path / "runs")
    file = largest(output / "artifacts", READ_BY_COMPONENTS[kind][0])
    file.write_bytes(truncated(file.read_bytes()))
    assert command.run(output).code == 0
    assert result(output) == whole.result


def test_a_blessed_model_that_was_cut_off_is_named_with_a_cure_that_works(
    command: Any, whole: Any, result: Any, tmp_path: Path
) -> None:
    """It is the baseline of the next candidate. Without it, the candidate is compared with no model."""
    output = shutil.copytree(whole.output, tmp_path / "runs")
    file = largest(output / "artifacts", READ_BY_COMPONENTS["model"][0])
    file.write_bytes(truncated(file.read_bytes()))
    ended = command.run(output)
    artifact = file.parents[1]
    assert_is_one_line(ended, file.name)
    assert f"delete {artifact} and run the pipeline again" in ended.err
    shutil.rmtree(artifact)
    assert command.run(output).code == 0
    assert result(output) == whole.result


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_list_of_scored_images_is_written_again(
    command: Any, whole: Any, tmp_path: Path, damage: Any
) -> None:
    job = tmp_path / ".scores.csv.parts" / "job.json"
    job.parent.mkdir()
    job.write_bytes(damage(b'{"names": "0", "model": []}'))
    ended = command("score", whole.output / "pushed", command.an_image.parent, "--output", tmp_path / "scores.csv")
    assert ended.code == 0
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 1 + 60


def test_a_damaged_checkpoint_is_not_used(command: Any, tmp_path: Path) -> None:
    output = tmp_path / "runs"
    settings = ("--set", "training.epochs=3000")
    ended = command.run_with_fault("Trainer", 30, "SIGTERM", output, *settings)
    assert ended.code == 130, ended
    *_, newest = sorted(output.glob("checkpoints/*/epoch-*.npz"))
    newest.write_bytes(truncated(newest.read_bytes()))
    ended = command.run_with_fault("Trainer", 30, "SIGTERM", output, *settings)
    assert ended.code == 130, ended
    assert newest.name in ended.out
    assert "resumes in epoch" in ended.out


def largest(folder: Path, pattern: str) -> Path:
    """The largest file of the pattern."""
    return max(folder.glob(pattern), key=lambda file: file.stat().st_size)
