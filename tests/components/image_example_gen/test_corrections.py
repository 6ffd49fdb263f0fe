"""Corrections: a corrected relabel list changes labels, and no split, in every layout."""

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.components.image_example_gen.splits import Splits
from efficientmixnet.components.report.relabel import as_csv
from efficientmixnet.modules.exceptions import BadInput

SPLITS = {"train": 0.8, "eval": 0.2}
LABELS = ("cat", "dog", "große Bären")
EACH = 15  # images of a class


def _names() -> list[tuple[str, str]]:
    """The number and the label of each image."""
    return [(f"{number:04d}", LABELS[number % len(LABELS)]) for number in range(EACH * len(LABELS))]


def _folders(data: Path, _: Any) -> tuple[Path, str | None]:
    for number, label in _names():
        (data / label).mkdir(parents=True, exist_ok=True)
        (data / label / f"{number}.png").write_bytes(b"any")
    return data, None


def _folders_of_splits(data: Path, _: Any) -> tuple[Path, str | None]:
    for number, label in _names():
        folder = data / ("val" if int(number) % 5 == 0 else "train") / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(b"any")
    return data, None


def _manifest(data: Path, _: Any) -> tuple[Path, str | None]:
    data.mkdir()
    for number, _label in _names():
        (data / f"{number}.png").write_bytes(b"any")
    rows = "".join(f"{number}.png,{label},{int(number) % 3}\n" for number, label in _names())
    (data / "list.csv").write_text(f"path,label,camera\n{rows}", encoding="utf-8")
    return data, str(data / "list.csv")


def _hugging_face(data: Path, _: Any) -> tuple[Path, str | None]:
    for number, _label in _names():
        (data / "images").mkdir(parents=True, exist_ok=True)
        (data / "images" / f"{number}.png").write_bytes(b"any")
    rows = "".join(f"images/{number}.png,{label}\n" for number, label in _names())
    (data / "metadata.csv").write_text(f"file_name,label\n{rows}", encoding="utf-8")
    return data, None


def _tar(data: Path, write: Any) -> tuple[Path, str | None]:
    members = {}
    for number, label in _names():
        members |= {f"{number}.png": b"any", f"{number}.cls": label.encode()}
    write.tar(data / "shard.tar", members)
    return data, None


def _tar_gz(data: Path, write: Any) -> tuple[Path, str | None]:
    members = {}
    for number, label in _names():
        members |= {f"{number}.png": b"any", f"{number}.cls": label.encode()}
    write.tar(data / "shard.tar.gz", members, "w:gz")
    return data, None


def _parquet(data: Path, write: Any) -> tuple[Path, str | None]:
    labels = [label for _, label in _names()]
    write.parquet(data / "rows.parquet", {"image": [b"any"] * len(labels), "label": labels})
    return data, None


def _tfrecord(data: Path, write: Any) -> tuple[Path, str | None]:
    write.tfrecord(data / "a.tfrecord", [write.example(b"any", label) for _, label in _names()])
    return data, None


LAYOUTS = (_folders, _folders_of_splits, _manifest, _hugging_face, _tar, _tar_gz, _parquet, _tfrecord)


def _found(data: Path, manifest: str | None, corrections: Path | None = None, group: str | None = None) -> Sources:
    rule = Splits(SPLITS, group=group)
    return find_dataset(str(data), manifest, rule, Layout(), corrections=corrections and str(corrections))


def _splits(sources: Sources) -> dict[str, str | None]:
    return {entry.name: entry.split for entry in sources.entries}


def _labels(sources: Sources) -> dict[str, str]:
    return {entry.name: entry.label for entry in sources.entries}


def _relabel_list(sources: Sources, file: Path, **changed: str) -> Path:
    """Writes the relabel list of a run that got all evaluation images wrong, with other labels for some of them."""
    listed = [entry for entry in sources.entries if entry.split == "eval"]
    rows = [(entry.name, changed.get(entry.name, entry.label), "guess", 0.9, "confident mistake") for entry in listed]
    file.write_text(as_csv(rows), encoding="utf-8")
    return file


@pytest.fixture(params=LAYOUTS, ids=lambda layout: layout.__name__.strip("_"))
def dataset(request: pytest.FixtureRequest, write: Any, tmp_path: Path) -> tuple[Path, str | None]:
    return request.param(tmp_path / "data", write)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return _folders(tmp_path / "data", None)[0]


@pytest.fixture
def correct(folders: Path, tmp_path: Path) -> Callable[[str], Sources]:
    """Lists class folders with corrections of this text."""

    def corrected(text: str, name: str = "relabel.csv") -> Sources:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return _found(folders, None, tmp_path / name)

    return corrected


def test_a_corrected_row_changes_one_label_and_no_split(dataset: tuple[Path, str | None], tmp_path: Path) -> None:
    before = _found(*dataset)
    wrong = next(entry for entry in before.entries if entry.split == "eval" and entry.label == "cat")
    listed = _relabel_list(before, tmp_path / "relabel.csv", **{wrong.name: "große Bären"})
    after = _found(*dataset, listed)
    assert len(after.entries) == len(before.entries) == EACH * len(LABELS)
    assert _splits(after) == _splits(before)
    assert _labels(after) == {**_labels(before), wrong.name: "große Bären"}
    assert after.left_out == before.left_out
    assert (after.columns, after.splits) == (before.columns, before.splits)
    assert after.notes == before.notes
    assert after.corrections == "relabel.csv changes 1 label"
    assert before.corrections is None
    assert after.fingerprint != before.fingerprint


def test_an_unchanged_list_changes_nothing(dataset: tuple[Path, str | None], tmp_path: Path) -> None:
    before = _found(*dataset)
    after = _found(*dataset, _relabel_list(before, tmp_path / "relabel.csv"))
    assert after.entries == before.entries
    assert after.fingerprint == before.fingerprint
    assert after.corrections == "relabel.csv changes 0 labels"


def test_a_row_without_a_label_leaves_its_image_out_and_changes_no_split(
    dataset: tuple[Path, str | None], tmp_path: Path
) -> None:
    """Without the removed images, the hashes would move others of a class of 15 to the evaluation split."""
    before = _found(*dataset)
    held_out = [entry.name for entry in before.entries if entry.split == "eval"]
    removed = held_out[:-3]
    after = _found(*dataset, _relabel_list(before, tmp_path / "relabel.csv", **dict.fromkeys(removed, "")))
    assert _splits(after) == {name: split for name, split in _splits(before).items() if name not in removed}
    assert [item.row() for item in after.left_out] == [(name, "has no label in data.corrections") for name in removed]
    assert not any(item.counts for item in after.left_out)
    assert after.corrections == f"relabel.csv changes 0 labels and leaves out {len(removed)} images"
    assert after.fingerprint != before.fingerprint


def test_many_corrections_move_no_image_to_another_split(folders: Path, tmp_path: Path) -> None:
    """The split depends on the label of the folder, also where the corrected one would divide the class anew."""
    before = _found(folders, None)
    cats = [entry.name for entry in before.entries if (entry.label, entry.split) == ("cat", "eval")]
    rows = "".join(f"{name},dog\n" for name in cats)
    (tmp_path / "all.csv").write_text(f"path,label\n{rows}")
    after = _found(folders, None, tmp_path / "all.csv")
    assert _splits(after) == _splits(before)
    assert after.labels == {"cat": EACH - len(cats), "dog": EACH + len(cats), "große Bären": EACH}


def test_corrections_do_not_divide_a_group_anew(tmp_path: Path) -> None:
    data, manifest = _manifest(tmp_path / "data", None)
    before = _found(data, manifest, group="camera")
    rows = "".join(f"{entry.name},dog\n" for entry in before.entries if entry.label == "cat")
    (tmp_path / "some.csv").write_text(f"path,label\n{rows}")
    after = _found(data, manifest, tmp_path / "some.csv", group="camera")
    assert _splits(after) == _splits(before)


def test_the_fingerprint_changes_with_every_label_of_the_list(correct: Callable[[str], Sources]) -> None:
    prints = [
        correct(f"path,label\n{rows}").fingerprint
        for rows in (
            "", "cat/0000.png,dog\n", "cat/0000.png,große Bären\n", "cat/0000.png,\n", "cat/0003.png,dog\n",
            "cat/0000.png,dog\ncat/0003.png,dog\n",
        )
    ]  # fmt: skip
    assert len(set(prints)) == len(prints)


def test_the_order_and_the_format_of_the_list_do_not_matter(correct: Callable[..., Sources]) -> None:
    first = correct("path,label,note\ncat/0000.png,dog,x\ncat/0003.png,,\n")
    again = correct("Label ,PATH\n,cat/0003.png\ndog,cat/0000.png\ndog,cat/0000.png\n")
    lines = {"path": "cat/0003.png", "label": ""}, {"file_name": "./cat/0000.png", "label": "dog", "more": [1]}
    third = correct("\n".join(map(json.dumps, lines)), "list.jsonl")
    spreadsheet = correct("\ufeffpath,label,note\r\ncat/0000.png, dog ,\r\ncat/0003.png,,\r\n,,\r\n")
    assert {one.fingerprint for one in (first, again, third, spreadsheet)} == {first.fingerprint}
    assert first.entries == again.entries == third.entries == spreadsheet.entries


def test_accents_in_another_form_name_the_same_image(correct: Callable[[str], Sources]) -> None:
    name, label = (unicodedata.normalize("NFD", text) for text in ("große Bären/0002.png", "große Bären"))
    found = correct(f"path,label\n{name},cat\ncat/0000.png,{label}\n")
    assert found.labels == {"cat": EACH, "dog": EACH, "große Bären": EACH}
    assert _labels(found)["große Bären/0002.png"] == "cat"


def test_names_that_a_spreadsheet_would_run_and_masked_names_are_found(folders: Path, tmp_path: Path) -> None:
    names = ["cat/=1+1.png", "cat/password=hunter2.png"]
    shutil.move(folders / "cat/0000.png", folders / names[0])
    shutil.move(folders / "cat/0003.png", folders / names[1])
    file = tmp_path / "relabel.csv"
    file.write_text(as_csv([(f"{name}", "dog", "dog", 0.9, "low confidence") for name in names]))
    assert "hunter2" not in file.read_text()
    labels = _labels(_found(folders, None, file))
    assert [labels[name] for name in names] == ["dog", "dog"]


def test_a_label_is_a_name_also_where_labels_are_numbers(write: Any, tmp_path: Path) -> None:
    """The names are digits too, in another order. The list of a run has the names."""
    (tmp_path / "names.txt").write_text("1\n0\n")
    write.parquet(tmp_path / "rows.parquet", {"image": [b"any"] * 20, "label": [0, 1] * 10})
    (tmp_path / "relabel.csv").write_text("path,label\nrows.parquet/0,0\n")
    layout = Layout(label_names=str(tmp_path / "names.txt"))
    given = str(tmp_path / "rows.parquet"), None, frozenset(SPLITS), layout
    before = find_images(*given)
    after = find_images(*given, corrections=str(tmp_path / "relabel.csv"))
    assert _labels(after) == {**_labels(before), "rows.parquet/0": "0"}


def test_a_correction_may_mend_data_that_would_be_refused(tmp_path: Path) -> None:
    data, _ = _folders(tmp_path / "data", None)
    (data / "cat&dog").mkdir()
    (data / "cat&dog" / "1.png").write_bytes(b"any")
    with pytest.raises(BadInput, match="the label 'cat&dog' lists other labels"):
        _found(data, None)
    (tmp_path / "list.csv").write_text("path,label\ncat&dog/1.png,cat\n")
    assert _found(data, None, tmp_path / "list.csv").labels["cat"] == EACH + 1


NAMED = "Give names as relabel.csv and the report write them, such as 'cat/0000.png'."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\ncat/x.png,dog\n", f", line 2: 'cat/x.png' is not an image of the data. {NAMED}"),
        (
            "path,label\ncat/0000.png,dog\ncat/x.png,dog\ny.png,\nz.png,cat\n",
            f", line 3: 'cat/x.png' is not an image of the data; neither are those of 2 other rows. {NAMED}",
        ),
        ("path,label\n/etc/passwd,dog\n", f", line 2: '/etc/passwd' is not an image of the data. {NAMED}"),
        (
            "path,label\nfile:///etc/passwd,dog\n",
            f", line 2: 'file:///etc/passwd' is not an image of the data. {NAMED}",
        ),
        (
            "path,label\ncat/0000.png,dog\ncat/0000.png,cat\n",
            ", line 3 gives 'cat/0000.png' the label 'cat', and line 2 the label 'dog'. Remove one of them.",
        ),
        (
            "path,label\ncat/0000.png,dog\n./cat/0000.png,\n",
            ", line 3 gives './cat/0000.png' the label '', and line 2 the label 'dog'. Remove one of them.",
        ),
        ("path,label\ncat/0000.png\n", ", line 2 has no label. Give one, or an empty text to leave the image out."),
        ("path,label\n,dog\n", ", line 2 has no path. Give the name of the image, or remove the row."),
        (
            "path,label\ncat/0000.png,0.5\n",
            ", line 2 has the label 0.5, a decimal number. Labels are classes, as text or whole numbers. Regression is "
            "not supported.",
        ),
        (
            "path,label\ncat/0000.png,\"['cat', 'dog']\"\n",
            ", line 2 has a list as its label (\"['cat', 'dog']\"). One label per image is supported.",
        ),
        (
            'path,label\ncat/0000.png,"cat\x1b[31m"\n',
            ", line 2 has a label with a line break or control character ('cat\\x1b[31m'). A label is "
            "one line of text.",
        ),
        (
            "path;label\ncat/0000.png;dog\n",
            " has no column label and no column path. Its first line is 'path;label'; it must have the columns "
            "path,label, separated by commas.",
        ),
        (
            "file,label\ncat/0000.png,dog\n",
            " has no column path. Its first line is 'file,label'; it must have the columns path,label, separated by "
            "commas.",
        ),
        ("path,label,label\na,b,c\n", " has the column 'label' twice. Remove or rename one."),
        (
            "path,label\ncat/0000.png,dog,x\n",
            ", line 2 has more values than the header has columns; put text with a comma in quotes",
        ),
        (
            'path,label\ncat/0000.png,"dog\n',
            ", line 2 is not CSV in UTF-8 (unexpected end of data). Separate values by commas, and close quotes.",
        ),
    ],
)
def test_a_wrong_list_is_refused_in_one_line(
    correct: Callable[[str], Sources], tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        correct(text)
    assert str(caught.value) == f"data.corrections: {tmp_path / 'relabel.csv'}{message}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"path": "cat/0000.png"}', "has no label. Give one, or an empty text to leave the image out."),
        ('{"path": "cat/0000.png", "label": null}', "has no label. Give one, or an empty text to leave the image out."),
        (
            '{"path": "cat/0000.png", "label": ["cat", "dog"]}',
            "has 2 labels ('cat, dog'). One label per image is supported.",
        ),
        ('{"path": "\\ud800", "label": "cat"}', "has a character that is not text in its path or label (\\ud800)."),
        ('{"image": "a"}', """has no 'path'. Write lines such as {"path": "cat/1.jpg", "label": "cat"}."""),
        (
            "[" * 5000 + "]" * 5000,
            "is not JSON (its lists or objects are nested too deep). Write one object on each line.",
        ),
    ],
)
def test_a_wrong_line_of_json_is_refused_in_one_line(
    correct: Callable[..., Sources], tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        correct(line, "list.jsonl")
    assert str(caught.value) == f"data.corrections: {tmp_path / 'list.jsonl'}, line 1 {message}"


def test_a_list_that_is_no_file_is_refused(folders: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.corrections: .*none\.csv does not exist\. Give a CSV file with the"):
        _found(folders, None, tmp_path / "none.csv")
    with pytest.raises(BadInput, match=r"data\.corrections: .*data is a folder\. Give a CSV file with the columns"):
        _found(folders, None, folders)
    with pytest.raises(BadInput, match=r"data\.corrections: http://host/a\.csv is not on this machine, in gs:// or"):
        find_images(str(folders), None, frozenset(SPLITS), corrections="http://host/a.csv")


def test_a_list_in_another_encoding_is_refused(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_text("path,label\ncat/0000.png,große Bären\n", encoding="latin-1")
    with pytest.raises(BadInput, match=r"data\.corrections: .*latin\.csv is not UTF-8\. Save it as text in UTF-8\."):
        _found(folders, None, tmp_path / "latin.csv")


def test_for_an_image_that_is_left_out_the_message_has_the_reason(folders: Path, tmp_path: Path) -> None:
    (folders / "alone.png").write_bytes(b"any")
    (tmp_path / "list.csv").write_text("path,label\nalone.png,cat\n")
    with pytest.raises(BadInput) as caught:
        _found(folders, None, tmp_path / "list.csv")
    assert "'alone.png' is not an image of the data (alone.png is not in a class folder)." in str(caught.value)


def test_a_list_that_leaves_all_images_out_is_refused(correct: Callable[[str], Sources]) -> None:
    rows = "".join(f"{label}/{number}.png,\n" for number, label in _names())
    with pytest.raises(BadInput, match=r"data\.corrections: .*relabel\.csv leaves all images out\. Give them labels\."):
        correct(f"path,label\n{rows}")


def test_a_new_class_needs_a_training_image(folders: Path, tmp_path: Path) -> None:
    before = _found(folders, None)
    train = next(entry.name for entry in before.entries if entry.split == "train")
    held_out = next(entry.name for entry in before.entries if entry.split == "eval")
    (tmp_path / "new.csv").write_text(f"path,label\n{train},horse\n{held_out},horse\n")
    assert _found(folders, None, tmp_path / "new.csv").labels["horse"] == 2
    (tmp_path / "new.csv").write_text(f"path,label\n{held_out},horse\n")
    with pytest.raises(BadInput) as caught:
        _found(folders, None, tmp_path / "new.csv")
    assert str(caught.value) == (
        f"data.corrections: {tmp_path / 'new.csv'} gives {held_out!r} the label 'horse', which no training image has. "
        "The labels are cat, dog, große Bären."
    )
