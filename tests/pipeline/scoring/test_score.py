"""Tests of scoring: every image has a prediction or a reason, and interrupted scoring resumes."""

import csv
import errno
import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from efficientmixnet.components.image_example_gen import walk
from efficientmixnet.components.image_example_gen.sources import find_images as find_data
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.scoring import score as scoring
from efficientmixnet.pipeline.scoring.images_to_score import find_images
from efficientmixnet.pipeline.scoring.score import score
from efficientmixnet.pipeline.scoring.shard_scorer import ShardScorer, shard_schema
from tests.shared.few_rows import few_rows


@pytest.fixture(scope="module")
def model(tmp_path_factory, push_brightness) -> str:
    folder = tmp_path_factory.mktemp("pushed") / "7"
    push_brightness(folder, "bright", "dark")
    return str(folder.parent)


@pytest.fixture
def images(tmp_path) -> Path:
    folder = tmp_path / "images"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(10):
        place = folder / "deep" / "er" if number % 2 else folder
        Image.new("RGB", (4, 4), (25 * number,) * 3).save(place / f"{number}.png")
    Image.new("RGB", (4, 4), "white").save(folder / "white.bmp")
    (folder / "empty.jpg").touch()
    (folder / "torn.png").write_bytes(few_rows())
    (folder / ".hidden").write_text("no image")
    return folder


def _begin(parts: Path, images: Path, model: str, manifest: str | None = None) -> list[int]:
    """Begins a job that is interrupted at once. Returns the numbers of the shards that were missing."""
    versions, _ = find_images(str(images), manifest)
    job = scoring._job(str(images), versions, Path(model, "7"))
    missing = scoring._missing_shards(parts, job, list(versions))
    scoring._begin(parts, job)
    return [number for number, _ in missing]


def _rows(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.reader(opened))[1:]


def test_every_image_has_a_prediction_or_a_reason(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "SHARD", 5)  # three shards, two of them with a corrupt image
    outputs = [tmp_path / "out.parquet", tmp_path / "out.csv"]
    scored = score(model, str(images), outputs)
    assert (scored.images, scored.left_out) == (11, 2)
    table = pq.read_table(outputs[0])
    assert json.loads(table.schema.metadata[b"labels"]) == ["bright", "dark"]
    found = {row["file"]: row for row in table.to_pylist()}
    assert list(found) == sorted(found)
    assert found["deep/er/1.png"]["probabilities"] == pytest.approx([25 / 255, 230 / 255], abs=1e-6)
    assert found["white.bmp"]["label"] == "bright"
    assert _rows(outputs[1])[0] == ["0.png", "dark", "1.000000"]
    assert len(_rows(outputs[1])) == 11
    assert _rows(tmp_path / "out.left_out.csv") == [
        ["empty.jpg", "has zero bytes"],
        ["torn.png", "is a truncated or corrupt file"],
    ]
    assert {file.name for file in tmp_path.iterdir()} == {"images", "out.parquet", "out.csv", "out.left_out.csv"}


def test_finished_shards_are_kept_unless_the_images_change(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "SHARD", 5)
    output = tmp_path / "out.csv"
    parts = tmp_path / ".out.csv.parts"
    assert _begin(parts, images, model) == [0, 1, 2]
    before = [{"file": "0.png", "label": "from before", "probability": 1.0, "probabilities": [1.0, 0.0]}]
    pq.write_table(pa.Table.from_pylist(before, shard_schema(["bright", "dark"])), scoring._shard_file(parts, 0))
    assert _begin(parts, images, model) == [1, 2]
    score(model, str(images), [output])
    assert _rows(output)[0] == ["0.png", "from before", "1.000000"]

    _begin(parts, images, model)
    pq.write_table(pa.Table.from_pylist(before, shard_schema(["bright", "dark"])), scoring._shard_file(parts, 0))
    Image.new("RGB", (4, 4), "black").save(images / "new.png")
    score(model, str(images), [output])
    assert _rows(output)[0] == ["0.png", "dark", "1.000000"]


@pytest.mark.parametrize("listed", [False, True])
def test_images_that_were_replaced_are_scored_again(model, images, tmp_path, monkeypatch, listed):
    monkeypatch.setattr(scoring, "SHARD", 5)
    (tmp_path / "list.csv").write_text("path\n0.png\n2.png\n")
    manifest = str(tmp_path / "list.csv") if listed else None
    parts = tmp_path / ".out.csv.parts"
    _begin(parts, images, model, manifest)
    before = [{"file": "0.png", "label": "dark", "probability": 1.0, "probabilities": [0.0, 1.0]}]
    pq.write_table(pa.Table.from_pylist(before, shard_schema(["bright", "dark"])), scoring._shard_file(parts, 0))
    Image.new("RGB", (6, 6), "white").save(images / "0.png")
    score(model, str(images), [tmp_path / "out.csv"], manifest=manifest)
    assert _rows(tmp_path / "out.csv")[0][:2] == ["0.png", "bright"]


def test_a_file_that_is_too_large_or_elsewhere_is_left_out(model, images, tmp_path):
    with (images / "archive.zip").open("wb") as file:
        file.truncate(500_000_001)  # takes no space on the disk
    (tmp_path / "list.csv").write_text("path\n0.png\narchive.zip\nfile:///etc/passwd\n")
    scored = score(model, str(images), [tmp_path / "out.csv"], manifest=str(tmp_path / "list.csv"))
    assert (scored.images, scored.left_out) == (1, 2)
    assert _rows(tmp_path / "out.left_out.csv") == [
        ["archive.zip", "has 500,000,001 bytes, more than 500,000,000"],
        ["file:///etc/passwd", "is not on this machine, in gs:// or in s3://"],
    ]


def test_bad_arguments_are_refused(model, images, tmp_path):
    with pytest.raises(BadInput, match=r"give a file that ends in \.parquet or \.csv"):
        score(model, str(images), [tmp_path / "out.txt"])
    with pytest.raises(BadInput, match="is not a folder"):
        score(model, str(tmp_path / "none"), [tmp_path / "out.csv"])
    with pytest.raises(BadInput, match="has no model"):
        score(str(tmp_path), str(images), [tmp_path / "out.csv"])


def test_an_output_that_cannot_be_written_is_named_before_any_work(model, images, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    for output, reason in (
        (tmp_path / "file" / "deep" / "b.csv", f"cannot be written: {tmp_path / 'file'} is not a folder that you can"),
        (tmp_path / "folder.csv", "is a folder; give a file in it"),
    ):
        with pytest.raises(BadInput, match=rf"^--output {re.escape(str(output))}: {re.escape(reason)}"):
            score(model, str(images), [tmp_path / "a.parquet", output])
    assert {file.name for file in tmp_path.iterdir()} == {"images", "file", "folder.csv"}


def test_folders_of_all_outputs_are_made(model, images, tmp_path):
    outputs = [tmp_path / "a.parquet", tmp_path / "missing" / "deep" / "b.csv"]
    assert score(model, str(images), outputs).images == 11
    assert all(output.is_file() for output in outputs)


def test_an_output_that_fails_at_the_end_is_named(model, images, tmp_path, monkeypatch):
    def fails(part: Path) -> None:
        if part.suffix == ".part" and "b.csv" in part.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(part))

    monkeypatch.setattr("efficientmixnet.modules.files.whole_file._sync_all", fails)
    with pytest.raises(BadInput, match=r"^--output \S+b\.csv\.part: cannot be written: No space left on device"):
        score(model, str(images), [tmp_path / "a.parquet", tmp_path / "b.csv"])


def test_a_manifest_selects_the_images(model, images, tmp_path):
    output = tmp_path / "out.csv"
    manifest = tmp_path / "some.csv"
    manifest.write_text("path,label\nwhite.bmp,cat\n0.png,dog\ngone.png,cat\n0.png,dog\n")
    scored = score(model, str(images), [output], manifest=str(manifest))
    assert (scored.images, scored.left_out) == (2, 1)
    assert [row[0] for row in _rows(output)] == ["0.png", "white.bmp"]
    assert _rows(tmp_path / "out.left_out.csv") == [["gone.png", "cannot be read: No such file or directory"]]

    lines = tmp_path / "some.jsonl"
    lines.write_text('{"path": "deep/er/1.png"}\n\n{"path": "2.png", "camera": 3}\n')
    score(model, str(images), [output], manifest=str(lines))
    assert [row[0] for row in _rows(output)] == ["2.png", "deep/er/1.png"]

    lines.write_text('{"file": "2.png"}\n')
    with pytest.raises(BadInput, match=r"some\.jsonl: row 1 has no path"):
        find_images(str(images), str(lines))
    with pytest.raises(BadInput, match=r"--manifest nowhere\.csv: does not exist"):
        find_images(str(images), "nowhere.csv")
    lines.write_text("\0" * 3_000_000)
    with pytest.raises(BadInput, match=r"some\.jsonl has a line of more than 1,048,576 characters"):
        find_images(str(images), str(lines))
    with pytest.raises(BadInput, match=rf"--manifest {tmp_path}: is not a file; give a CSV"):
        find_images(str(images), str(tmp_path))


def test_a_quote_in_a_manifest_that_is_not_closed_is_refused_with_its_line(images, tmp_path):
    manifest = tmp_path / "some.csv"
    manifest.write_text('path,label\n0.png,dog\n2.png,"dog\n4.png,dog\n')
    with pytest.raises(
        BadInput, match=r"--manifest \S+some\.csv: line 3 is not CSV \(.*\)\. Separate values by commas, and close"
    ):
        find_images(str(images), str(manifest))


def test_images_and_manifest_can_be_in_an_object_store(model, images, shelf, tmp_path):
    for file in images.rglob("*.png"):
        shelf[f"shelf://bucket/{file.relative_to(images).as_posix()}"] = file.read_bytes()
    outputs = [tmp_path / "out.csv"]
    scored = score(model, "shelf://bucket", outputs)
    assert (scored.images, scored.left_out) == (10, 1)
    assert _rows(outputs[0])[-1][:2] == ["deep/er/9.png", "bright"]
    shelf["shelf://lists/two.csv"] = b"path\n0.png\ngone.png\n"
    score(model, "shelf://bucket", outputs, manifest="shelf://lists/two.csv")
    assert [row[0] for row in _rows(outputs[0])] == ["0.png"]
    ((name, reason),) = _rows(tmp_path / "out.left_out.csv")
    assert name == "gone.png"
    assert "cannot be read: shelf://bucket/gone.png is gone" in reason
    with pytest.raises(BadInput, match="shelf://empty does not exist"):
        score(model, "shelf://empty", outputs)


def test_formulas_in_names_are_escaped_and_a_relabeled_csv_finds_its_images_again(model, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    names = ["'=quoted.png", "+plus.png", "-minus.png", "=cmd().png", "@at.png", "plain.png"]
    for name in names:
        Image.new("RGB", (4, 4), "white").save(folder / name)
    (folder / "=bad.png").touch()
    score(model, str(folder), [tmp_path / "out.csv"])
    cells = [row[0] for row in _rows(tmp_path / "out.csv")]
    assert cells == ["''=quoted.png", "'+plus.png", "'-minus.png", "'=cmd().png", "'@at.png", "plain.png"]
    assert _rows(tmp_path / "out.left_out.csv") == [["'=bad.png", "has zero bytes"]]

    relabeled = tmp_path / "relabeled.csv"
    relabeled.write_text((tmp_path / "out.csv").read_text().replace('"file"', '"path"').replace('"label"', '"guess"'))
    assert list(find_images(str(folder), str(relabeled))[0]) == names
    relabeled.write_text(relabeled.read_text().replace('"guess"', '"label"').replace("bright", "dark", 1))
    sources = find_data(str(folder), str(relabeled), frozenset())
    assert {entry.name: entry.label for entry in sources.entries} == {
        name: "dark" if name == names[0] else "bright" for name in names
    }


def test_passwords_and_signatures_in_a_manifest_are_used_but_not_written(model, images, shelf, tmp_path):
    for name in ("0", "gone"):
        shelf[f"shelf://me:HUSH@web/{name}.png?sig=HUSH"] = (images / "0.png").read_bytes()
    shelf["shelf://lists/two.csv"] = b"path\n" + "\n".join(shelf).encode()
    del shelf["shelf://me:HUSH@web/gone.png?sig=HUSH"]
    outputs = [tmp_path / "out.csv", tmp_path / "out.parquet"]
    score(model, str(images), outputs, manifest="shelf://lists/two.csv")
    assert _rows(outputs[0])[0][0] == "shelf://***@web/0.png?sig=***"
    gone = "shelf://***@web/gone.png?sig=***"
    assert _rows(tmp_path / "out.left_out.csv")[0] == [gone, f"cannot be read: {gone} is gone"]
    assert pq.read_table(outputs[1])["file"].to_pylist() == ["shelf://***@web/0.png?sig=***"]


def test_a_password_in_an_argument_is_refused(model, tmp_path):
    with pytest.raises(BadInput, match="IMAGES: holds a password or a signature"):
        score(model, "https://me:HUSH@web/images", [tmp_path / "out.csv"])


@pytest.mark.parametrize("damage", ["", "{", "[7]", b"\xff", "[" * 100_000])
def test_a_damaged_job_starts_again(model, images, tmp_path, damage):
    output = tmp_path / "out.csv"
    parts = tmp_path / ".out.csv.parts"
    parts.mkdir()
    (parts / "job.json").write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    (parts / "000000.parquet").write_text("of another job")
    assert score(model, str(images), [output]).images == 11
    assert not parts.exists()


def test_a_damaged_shard_is_named_and_no_output_is_half_written(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "SHARD", 5)
    outputs = [tmp_path / "out.csv", tmp_path / "out.parquet"]
    parts = tmp_path / ".out.csv.parts"
    _begin(parts, images, model)
    damaged = scoring._shard_file(parts, 1)
    damaged.write_text("no table")
    with pytest.raises(BadInput, match=rf"^{damaged}: is damaged \(.*\); delete it and run the command again"):
        score(model, str(images), outputs)
    assert sorted(file.name for file in tmp_path.iterdir()) == [".out.csv.parts", "images"]
    damaged.unlink()
    assert score(model, str(images), outputs).images == 11


def test_a_second_command_for_the_same_file_is_refused_at_once_and_leaves_the_first_alone(
    model, images, tmp_path, monkeypatch
):
    monkeypatch.setattr(scoring, "SHARD", 5)
    output, other = tmp_path / "out.csv", tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (4, 4), "black").save(other / "other.png")
    score_shard, refused = ShardScorer.score, []

    def score_beside(scorer: ShardScorer, names: list[str], file: Path) -> None:
        with pytest.raises(BadInput) as error:
            score(model, str(other), [output])
        refused.append(str(error.value))
        score_shard(scorer, names, file)

    monkeypatch.setattr(ShardScorer, "score", score_beside)
    assert score(model, str(images), [output]).images == 11
    message = f"--output {output}: another command is writing this file; wait until it ends, or give another file"
    assert refused == [message] * 3
    assert len(_rows(output)) == 11
    assert not (tmp_path / ".out.csv.parts").exists()


def test_only_the_shards_of_the_job_are_merged(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "SHARD", 5)
    parts = tmp_path / ".out.csv.parts"
    _begin(parts, images, model)
    before = [{"file": "of another job", "label": "dark", "probability": 1.0, "probabilities": [0.0, 1.0]}]
    pq.write_table(pa.Table.from_pylist(before, shard_schema(["bright", "dark"])), scoring._shard_file(parts, 7))
    assert score(model, str(images), [tmp_path / "out.csv"]).images == 11


@pytest.mark.parametrize("damage", ["empty", "cut off", "noise", "no weights", "cut off weights"])
def test_a_damaged_model_is_named(model, images, tmp_path, damage):
    folder = tmp_path / "model"
    shutil.copytree(Path(model, "7"), folder)
    graph = folder / "saved_model.pb"
    if damage == "no weights":
        shutil.rmtree(folder / "variables")
    elif damage == "cut off weights":
        (folder / "variables" / "variables.index").write_bytes(b"")
    else:
        content = graph.read_bytes()
        graph.write_bytes({"empty": b"", "cut off": content[: len(content) // 2], "noise": content[::-1]}[damage])
    with pytest.raises(BadInput, match=rf"^{folder}: is damaged, or is not a model that a run has pushed \(.+\); give"):
        score(str(folder), str(images), [tmp_path / "new" / "out.csv"])
    assert not (tmp_path / "new").exists()


def test_folders_and_outputs_whose_names_are_not_text_are_read_and_written(model, images, tmp_path):
    """Bytes that are not UTF-8, as an old system has written them, are halves of characters in Python."""
    folder = images.rename(tmp_path / "images\udcff")
    outputs = [tmp_path / "out\udcff.parquet", tmp_path / "out\udcff.csv"]
    scored = score(model, str(folder), outputs)
    assert (scored.images, scored.left_out) == (11, 2)
    with outputs[0].open("rb") as file:
        assert pq.read_table(file).num_rows == len(_rows(outputs[1])) == 11


def test_a_folder_that_cannot_be_read_is_not_called_an_output(model, tmp_path, monkeypatch):
    def refuse(place, *arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", place)

    monkeypatch.setattr(walk, "_entries", refuse)
    (tmp_path / "images").mkdir()
    with pytest.raises(BadInput, match=r"/images cannot be listed \(Permission denied\)$"):
        score(model, str(tmp_path / "images"), [tmp_path / "out.csv"])
    with pytest.raises(BadInput, match=r"a+: is not a folder; give the folder of the images$"):
        score(model, str(tmp_path / ("a" * 300)), [tmp_path / "out.csv"])


def test_the_list_of_images_left_out_is_no_output(tmp_path: Path) -> None:
    outputs = [tmp_path / "p.csv", tmp_path / "p.left_out.csv"]
    with pytest.raises(BadInput, match=r"p\.left_out\.csv: lists the images that .*p\.csv leaves out"):
        score("runs", "photos", outputs)
