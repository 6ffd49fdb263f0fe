"""Corrections change labels, and no split, in every layout."""

from pathlib import Path
from typing import Any

import pytest
from corrected_data import (
    EACH,
    LABELS,
    class_folders,
    find,
    images_and_manifest,
    labels_of,
    names_and_labels,
    splits_of,
)

from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.components.report.relabel import as_csv


def _folders_of_splits(data: Path, _: Any) -> tuple[Path, str | None]:
    for number, label in names_and_labels():
        folder = data / ("val" if int(number) % 5 == 0 else "train") / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(b"any")
    return data, None


def _hugging_face(data: Path, _: Any) -> tuple[Path, str | None]:
    for number, _label in names_and_labels():
        (data / "images").mkdir(parents=True, exist_ok=True)
        (data / "images" / f"{number}.png").write_bytes(b"any")
    rows = "".join(f"images/{number}.png,{label}\n" for number, label in names_and_labels())
    (data / "metadata.csv").write_text(f"file_name,label\n{rows}", encoding="utf-8")
    return data, None


def _tar(data: Path, write: Any) -> tuple[Path, str | None]:
    members = {}
    for number, label in names_and_labels():
        members |= {f"{number}.png": b"any", f"{number}.cls": label.encode()}
    write.tar(data / "shard.tar", members)
    return data, None


def _tar_gz(data: Path, write: Any) -> tuple[Path, str | None]:
    members = {}
    for number, label in names_and_labels():
        members |= {f"{number}.png": b"any", f"{number}.cls": label.encode()}
    write.tar(data / "shard.tar.gz", members, "w:gz")
    return data, None


def _parquet(data: Path, write: Any) -> tuple[Path, str | None]:
    labels = [label for _, label in names_and_labels()]
    write.parquet(data / "rows.parquet", {"image": [b"any"] * len(labels), "label": labels})
    return data, None


def _tfrecord(data: Path, write: Any) -> tuple[Path, str | None]:
    write.tfrecord(data / "a.tfrecord", [write.example(b"any", label) for _, label in names_and_labels()])
    return data, None


LAYOUTS = (class_folders, _folders_of_splits, images_and_manifest, _hugging_face, _tar, _tar_gz, _parquet, _tfrecord)


def _relabel_list(sources: Sources, file: Path, **changed: str) -> Path:
    """Writes the relabel list of a run that got all evaluation images wrong, with other labels for some of them."""
    listed = [entry for entry in sources.entries if entry.split == "eval"]
    rows = [(entry.name, changed.get(entry.name, entry.label), "guess", 0.9, "confident mistake") for entry in listed]
    file.write_text(as_csv(rows), encoding="utf-8")
    return file


@pytest.fixture(params=LAYOUTS, ids=lambda layout: layout.__name__.strip("_"))
def dataset(request: pytest.FixtureRequest, write: Any, tmp_path: Path) -> tuple[Path, str | None]:
    return request.param(tmp_path / "data", write)


def test_a_corrected_row_changes_one_label_and_no_split(dataset: tuple[Path, str | None], tmp_path: Path) -> None:
    before = find(*dataset)
    wrong = next(entry for entry in before.entries if entry.split == "eval" and entry.label == "cat")
    listed = _relabel_list(before, tmp_path / "relabel.csv", **{wrong.name: "große Bären"})
    after = find(*dataset, listed)
    assert len(after.entries) == len(before.entries) == EACH * len(LABELS)
    assert splits_of(after) == splits_of(before)
    assert labels_of(after) == {**labels_of(before), wrong.name: "große Bären"}
    assert after.left_out == before.left_out
    assert (after.columns, after.splits) == (before.columns, before.splits)
    assert after.notes == before.notes
    assert after.corrections == "relabel.csv changes 1 label"
    assert before.corrections is None
    assert after.fingerprint != before.fingerprint


def test_an_unchanged_list_changes_nothing(dataset: tuple[Path, str | None], tmp_path: Path) -> None:
    before = find(*dataset)
    after = find(*dataset, _relabel_list(before, tmp_path / "relabel.csv"))
    assert after.entries == before.entries
    assert after.fingerprint == before.fingerprint
    assert after.corrections == "relabel.csv changes 0 labels"


def test_a_row_without_a_label_leaves_its_image_out_and_changes_no_split(
    dataset: tuple[Path, str | None], tmp_path: Path
) -> None:
    """Without the removed images, the hashes would move others of a class of 15 to the evaluation split."""
    before = find(*dataset)
    held_out = [entry.name for entry in before.entries if entry.split == "eval"]
    removed = held_out[:-3]
    after = find(*dataset, _relabel_list(before, tmp_path / "relabel.csv", **dict.fromkeys(removed, "")))
    assert splits_of(after) == {name: split for name, split in splits_of(before).items() if name not in removed}
    assert [item.row() for item in after.left_out] == [(name, "has no label in data.corrections") for name in removed]
    assert not any(item.counts for item in after.left_out)
    assert after.corrections == f"relabel.csv changes 0 labels and leaves out {len(removed)} images"
    assert after.fingerprint != before.fingerprint


def test_many_corrections_move_no_image_to_another_split(folders: Path, tmp_path: Path) -> None:
    """The split depends on the label of the folder, also where the corrected one would divide the class anew."""
    before = find(folders, None)
    cats = [entry.name for entry in before.entries if (entry.label, entry.split) == ("cat", "eval")]
    rows = "".join(f"{name},dog\n" for name in cats)
    (tmp_path / "all.csv").write_text(f"path,label\n{rows}")
    after = find(folders, None, tmp_path / "all.csv")
    assert splits_of(after) == splits_of(before)
    assert after.labels == {"cat": EACH - len(cats), "dog": EACH + len(cats), "große Bären": EACH}


def test_corrections_do_not_divide_a_group_anew(tmp_path: Path) -> None:
    data, manifest = images_and_manifest(tmp_path / "data", None)
    before = find(data, manifest, group="camera")
    rows = "".join(f"{entry.name},dog\n" for entry in before.entries if entry.label == "cat")
    (tmp_path / "some.csv").write_text(f"path,label\n{rows}")
    after = find(data, manifest, tmp_path / "some.csv", group="camera")
    assert splits_of(after) == splits_of(before)


def test_a_name_with_spaces_around_it_is_corrected_and_not_one_without_them(tmp_path: Path) -> None:
    for folder in (" cat", "cat", "dog"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "data" / folder / f"{number}.png").write_bytes(b"any")
    relabel = tmp_path / "relabel.csv"
    relabel.write_text('path,label\n" cat/0.png",dog\n"dog/1.png ",cat\n', encoding="utf-8")
    sources = find_images(str(tmp_path / "data"), None, frozenset({"train", "eval"}), corrections=str(relabel))
    labels = {entry.name: entry.label for entry in sources.entries}
    assert (labels[" cat/0.png"], labels["cat/0.png"], labels["dog/1.png"]) == ("dog", "cat", "cat")
