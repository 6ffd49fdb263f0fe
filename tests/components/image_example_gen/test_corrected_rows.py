"""The rows of a list of corrections may have any order and format, and name images and labels as text."""

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corrected_data import EACH, SPLITS, class_folders, find, labels_of

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.components.report.relabel import as_csv
from efficientmixnet.modules.exceptions import BadInput


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
    assert labels_of(found)["große Bären/0002.png"] == "cat"


def test_names_that_a_spreadsheet_would_run_and_masked_names_are_found(folders: Path, tmp_path: Path) -> None:
    names = ["cat/=1+1.png", "cat/password=hunter2.png"]
    shutil.move(folders / "cat/0000.png", folders / names[0])
    shutil.move(folders / "cat/0003.png", folders / names[1])
    file = tmp_path / "relabel.csv"
    file.write_text(as_csv([(f"{name}", "dog", "dog", 0.9, "low confidence") for name in names]))
    assert "hunter2" not in file.read_text()
    labels = labels_of(find(folders, None, file))
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
    assert labels_of(after) == {**labels_of(before), "rows.parquet/0": "0"}


def test_a_correction_may_mend_data_that_would_be_refused(tmp_path: Path) -> None:
    data, _ = class_folders(tmp_path / "data", None)
    (data / "cat&dog").mkdir()
    (data / "cat&dog" / "1.png").write_bytes(b"any")
    with pytest.raises(BadInput, match="the label 'cat&dog' lists other labels"):
        find(data, None)
    (tmp_path / "list.csv").write_text("path,label\ncat&dog/1.png,cat\n")
    assert find(data, None, tmp_path / "list.csv").labels["cat"] == EACH + 1
