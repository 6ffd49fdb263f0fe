"""A list of corrections that is wrong is refused, and the message says where."""

from collections.abc import Callable
from pathlib import Path

import pytest
from corrected_data import SPLITS, find, names_and_labels

from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

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
        find(folders, None, tmp_path / "none.csv")
    with pytest.raises(BadInput, match=r"data\.corrections: .*data is a folder\. Give a CSV file with the columns"):
        find(folders, None, folders)
    with pytest.raises(BadInput, match=r"data\.corrections: http://host/a\.csv is not on this machine, in gs:// or"):
        find_images(str(folders), None, frozenset(SPLITS), corrections="http://host/a.csv")


def test_a_list_in_another_encoding_is_refused(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_text("path,label\ncat/0000.png,große Bären\n", encoding="latin-1")
    with pytest.raises(BadInput, match=r"data\.corrections: .*latin\.csv is not UTF-8\. Save it as text in UTF-8\."):
        find(folders, None, tmp_path / "latin.csv")


def test_for_an_image_that_is_left_out_the_message_has_the_reason(folders: Path, tmp_path: Path) -> None:
    (folders / "alone.png").write_bytes(b"any")
    (tmp_path / "list.csv").write_text("path,label\nalone.png,cat\n")
    with pytest.raises(BadInput) as caught:
        find(folders, None, tmp_path / "list.csv")
    assert "'alone.png' is not an image of the data (alone.png is not in a class folder)." in str(caught.value)


def test_a_list_that_leaves_all_images_out_is_refused(correct: Callable[[str], Sources]) -> None:
    rows = "".join(f"{label}/{number}.png,\n" for number, label in names_and_labels())
    with pytest.raises(BadInput, match=r"data\.corrections: .*relabel\.csv leaves all images out\. Give them labels\."):
        correct(f"path,label\n{rows}")


def test_a_new_class_needs_a_training_image(folders: Path, tmp_path: Path) -> None:
    before = find(folders, None)
    train = next(entry.name for entry in before.entries if entry.split == "train")
    held_out = next(entry.name for entry in before.entries if entry.split == "eval")
    (tmp_path / "new.csv").write_text(f"path,label\n{train},horse\n{held_out},horse\n")
    assert find(folders, None, tmp_path / "new.csv").labels["horse"] == 2
    (tmp_path / "new.csv").write_text(f"path,label\n{held_out},horse\n")
    with pytest.raises(BadInput) as caught:
        find(folders, None, tmp_path / "new.csv")
    assert str(caught.value) == (
        f"data.corrections: {tmp_path / 'new.csv'} gives {held_out!r} the label 'horse', which no training image has. "
        "The labels are cat, dog, große Bären."
    )
