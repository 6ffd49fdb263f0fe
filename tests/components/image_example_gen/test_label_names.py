"""The names of labels that are numbers, from a file or from a Parquet file's own schema."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from efficientmixnet.components.image_example_gen.label_names import LabelNames
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
START = "the labels start at 1 and end at 3, but the 3 names of .* are those of the labels 0 to 2"


def _manifest(folder: Path, names: list[str], labels: list[Any]) -> Sources:
    (folder / "names.txt").write_text("\n".join(names))
    for number in range(len(labels)):
        (folder / f"{number}.png").touch()
    rows = "".join(f"{number}.png,{label}\n" for number, label in enumerate(labels))
    (folder / "list.csv").write_text(f"path,label\n{rows}")
    layout = Layout(label_names=str(folder / "names.txt"))
    return find_images(str(folder), str(folder / "list.csv"), SPLITS, layout)


def _parquet(folder: Path, names: list[str], labels: list[int]) -> Sources:
    about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    table = pa.table({"image": [b"1"] * len(labels), "label": labels})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(about)}), folder / "all.parquet")
    return find_images(str(folder), None, SPLITS)


@pytest.mark.parametrize("find", [_manifest, _parquet])
def test_labels_from_1_to_the_number_of_names_are_refused(find: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=START):
        find(tmp_path, ["cat", "dog", "cow"], [1, 2, 3])


def test_labels_from_1_are_refused_in_tfrecords(tmp_path: Path, write: Any) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "names.txt").write_text("cat\ndog\ncow\n")
    for number, labels in enumerate([(1, 2), (2, 3)]):
        examples = [write.example(b"1", label, "image/class/label") for label in labels]
        write.tfrecord(tmp_path / f"data/{number}.tfrecord", examples)
    with pytest.raises(BadInput, match=START):
        find_images(str(tmp_path / "data"), None, SPLITS, Layout(label_names=str(tmp_path / "names.txt")))


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [1, 2], [1, 2, 4], [1, 2, 3 * 10**30]])
def test_other_numbers_are_no_shift(tmp_path: Path, labels: list[int]) -> None:
    expected = [name for label, name in enumerate(("cat", "dog", "cow")) if label in labels]
    assert list(_manifest(tmp_path, ["cat", "dog", "cow"], labels).labels) == expected


def test_a_line_before_the_first_name_cures_the_shift(tmp_path: Path) -> None:
    assert list(_manifest(tmp_path, ["unused", "cat", "dog", "cow"], [1, 2, 3]).labels) == ["cat", "dog", "cow"]


@pytest.mark.parametrize("find", [_manifest, _parquet])
@pytest.mark.parametrize("twin", ["crane", " crane "])
def test_a_name_of_two_labels_is_refused(find: Any, twin: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has the name 'crane' for the labels 0 and 2, .* \(n02012849 crane\)\.$"):
        find(tmp_path, ["crane", "dog", twin], [0, 1, 2])


def test_two_forms_of_unicode_are_one_name() -> None:
    with pytest.raises(BadInput, match="for the labels 0 and 1"):
        LabelNames(("caf\u00e9", "cafe\u0301"))


def test_empty_lines_name_nothing() -> None:
    assert [LabelNames(("", "a", "", "b", "")).name(label) for label in (0, 1, 2, "3.0", 9, "x")] == [
        *("", "a", "", "b", "", "x")
    ]
