"""An image that a manifest lists twice is read once, and rows that disagree are left out or refused."""

from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadInput
from tests.shared.manifests import SPLITS, read_csv, read_json_lines


def test_a_repeated_row_counts_once_and_a_second_label_is_left_out(folder: Path) -> None:
    rows = "cat/1.png,cat\ndog/1.png,dog\ncat/1.png,cat\ncat/1.png,dog\n"
    sources = read_csv(folder, f"path,label\n{rows}")
    assert sources.labels == {"cat": 1, "dog": 1}
    assert sources.left_out == (
        LeftOut("cat/1.png", "is already listed with the label 'cat' (list.csv, line 5)", True),
    )


@pytest.mark.parametrize(("splits", "shown"), [(("train", "val"), "train .* eval"), (("", "val"), "no split .* eval")])
def test_an_image_in_two_splits_is_refused(folder: Path, splits: tuple[str, str], shown: str) -> None:
    rows = "".join(f"cat/1.png,cat,{split}\n" for split in splits)
    first, second = shown.split(" .* ")
    both = rf"{first} \(list\.csv, line 2\) and in {second} \(list\.csv, line 4\)"
    message = rf"^data\.manifest: cat/1\.png is in {both}\. Remove one of the two rows\.$"
    with pytest.raises(BadInput, match=message):
        read_csv(folder, "path,label,split\n" + rows.replace("\n", "\ndog/1.png,dog,train\n", 1))


def test_two_names_of_one_split_are_the_same(folder: Path) -> None:
    sources = read_csv(folder, "path,label,split\ncat/1.png,cat,val\ncat/1.png,cat,Validation\ndog/1.png,dog,train\n")
    assert (len(sources.entries), sources.left_out) == (2, ())


def test_a_repeated_row_with_another_group_counts_and_one_with_another_box_does_not(folder: Path) -> None:
    (folder / "list.csv").write_text(
        "path,label,box,patient\ncat/1.png,cat,1,a\ndog/1.png,dog,1,a\ncat/1.png,cat,2,b\ndog/1.png,dog,2,a\n"
    )
    sources = find_images(str(folder), str(folder / "list.csv"), SPLITS, group="patient")
    assert sources.left_out == (
        LeftOut("cat/1.png", "is already listed with the patient 'a' (list.csv, line 4)", True),
        LeftOut("dog/1.png", "is already listed with the box '1' (list.csv, line 5)", False),
    )


def test_repeated_lines_of_json_may_have_other_keys(folder: Path) -> None:
    first, second = '{"path": "cat/1.png", "label": "cat", "box": 1}', '{"path": "dog/1.png", "label": "dog"}'
    sources = read_json_lines(folder, first, second, '{"path": "cat/1.png", "label": "cat", "site": "a"}')
    assert [item.reason for item in sources.left_out] == ["is already listed with the box '1' (list.jsonl, line 3)"]


def test_a_relative_and_an_absolute_path_are_the_same_image(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    rows = f"cat/1.png,cat\ndog/1.png,dog\n{folder}/cat/1.png,cat\n{folder}/cat/../dog/1.png,cat\n"
    Path("list.csv").write_text(f"path,label\n{rows}")
    sources = find_images(folder.name, "list.csv", SPLITS)
    assert sources.labels == {"cat": 1, "dog": 1}
    assert [item.reason for item in sources.left_out] == ["is already listed with the label 'dog' (list.csv, line 5)"]
