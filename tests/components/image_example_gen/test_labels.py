"""Labels that are not a single class, in every kind of source."""

import json
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.labels import combined_label, label_text
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput, BadLabel

SPLITS = frozenset({"train", "eval"})
SEVERAL, DECIMAL, CONTROL = (
    "One label per image is supported",
    "Regression is not supported",
    "A label is one line of text",
)
REFUSED = [
    (["cat", "pet"], SEVERAL),
    ([0, 1], SEVERAL),
    ([0.25, 0.5], SEVERAL),
    ("['cat', 'pet']", SEVERAL),
    ('["cat"]', SEVERAL),
    *((text, SEVERAL) for text in ("[0 1]", "[ 0. 1. 1.]", "[cat, dog]", "('cat', 'dog')", "('cat',)", "(0, 1)")),
    *((text, SEVERAL) for text in ("{'cat', 'dog'}", "{cat,dog}", '{"cat": 1}', "16 0", "0 1 1 0", "3|7", "1, 2")),
    *((text, SEVERAL) for text in ("3;7", "1,2,3", "0.1 0.9")),
    (0.37, DECIMAL),
    *((text, DECIMAL) for text in ("0,37", "1,25", "-12,5", ",5", "1,250", "37%", "37 %", "37,5%", "0.5%", "100%")),
    ("0.37", DECIMAL),
    ("-12.5", DECIMAL),
    ("1.5e-3", DECIMAL),
    ("cat\nx", CONTROL),
    ("cat\rx", CONTROL),
    ("cat\x00x", CONTROL),
    ("cat\u2028x", CONTROL),
    ("cat\tx", CONTROL),
]
NO_LABEL = [None, "", "   ", "\n", -1, "-1", -1.0, [], float("nan"), "nan", "NaN", "<NA>", b"nan"]


@pytest.mark.parametrize(("label", "supported"), [*REFUSED, ({"cat": 1, "dog": 0}, SEVERAL), (b"\xff", CONTROL)])
def test_a_label_that_is_no_class_is_refused_in_one_line(label: Any, supported: str) -> None:
    with pytest.raises(BadLabel, match=supported) as caught:
        label_text(label)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("label", NO_LABEL)
def test_an_empty_or_negative_label_is_no_label(label: Any) -> None:
    assert label_text(label) == ""


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (" große Katze ", "große Katze"),
        (b"cat", "cat"),
        (7, "7"),
        (7.0, "7"),
        ("2.0", "2.0"),
        (["cat"], "cat"),
        (True, "true"),
        ("dog, mâtiné", "dog, mâtiné"),
        ("[other]", "[other]"),
        ("v1.5", "v1.5"),
        *((name, name) for name in ("golden retriever", "T-shirt/top", "black & white", "A+", "C++", "16:9")),
        *((name, name) for name in ("[not a plant]", "(cat, wild)", "{unknown}", "10,000", "10 000", "1,000,000")),
        *((name, name) for name in ("NA", "None", "null", "Nan", "100% cotton", "size 42", "Bus 16, 20")),
    ],
)
def test_a_class_is_text_or_a_whole_number(label: Any, text: str) -> None:
    assert label_text(label) == text


def test_a_label_that_lists_other_labels_is_found() -> None:
    assert combined_label(["Hernia", "Edema", "Edema|Hernia"]) == "Edema|Hernia"
    assert combined_label(["cat", "dog", "cat, dog"]) == "cat, dog"
    assert combined_label(["cat", "dog, mâtiné", "hot dog", "a|b"]) is None


@pytest.mark.parametrize("separator", ["|", ";", ",", " & ", "&", "+", " + ", "/", " and ", " "])
def test_every_separator_of_labels_is_known(separator: str) -> None:
    assert combined_label(["cat", "dog", f"cat{separator}dog"]) == f"cat{separator}dog"
    assert combined_label(["cat", "hound", f"cat{separator}dog"]) is None


def test_lists_of_labels_that_are_never_alone_are_found() -> None:
    assert combined_label(["A|B", "B|C", "A|C"]) == "A|B"  # B has the second place, and the first
    assert combined_label(["x", "Edema", "Mass;Edema"]) == "Mass;Edema"
    assert combined_label(["scab", "frog", "rust", "scab frog", "rust scab"]) == "rust scab"


@pytest.mark.parametrize("separator", ["|", ";", ",", ", "])
def test_lists_with_a_part_that_is_never_alone_are_found(separator: str) -> None:
    tagged = [f"{one}{separator}pet" for one in ("cat", "dog")]
    assert combined_label(["cat", "dog", *tagged]) == tagged[0]
    longer = f"{tagged[0]}{separator}young"
    assert combined_label(["cat", "dog", longer, tagged[1]]) == longer
    assert combined_label(["cat", "dog", tagged[0]]) is None  # A list of one part is a name.


@pytest.mark.parametrize(
    "names",
    [
        ["T-shirt/top", "Trouser", "Shirt"],
        ["golden retriever", "maple leaf"],
        ["black & white", "black", "red"],
        ["coffee", "table", "coffee table", "sea lion"],  # a sea lion is no sea and lion
        ["hot dog", "dog"],
        ["animal|cat", "animal|dog", "plant|dog rose", "animal"],
        ["skunk, polecat", "polecat, ferret"],
        ["C", "C++", "A", "A+", "AB+"],
        ["animal", "animal|cat", "animal|dog", "animal|other", "plant|other"],
    ],
)
def test_names_with_separators_are_no_lists(names: list[str]) -> None:
    assert combined_label(names) is None


def test_a_long_label_takes_little_time() -> None:
    for label in ("1" * 200_000 + "x", "0," + "1" * 200_000 + "x", "[" + "," * 200_000, "1" + " " * 200_000 + "x"):
        assert label_text(label) == label


def _of_json_lines(folder: Path, write: Any, label: Any) -> Sources:
    rows = [{"path": "1.png", "label": "cat"}, {"path": "2.png", "label": "dog"}, {"path": "3.png", "label": label}]
    for row in rows:
        (folder / row["path"]).touch()
    (folder / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return find_images(str(folder), str(folder / "list.jsonl"), SPLITS)


def _of_metadata(folder: Path, write: Any, label: Any) -> Sources:
    rows = [("1.png", "cat"), ("2.png", "dog"), ("3.png", label)]
    for name, _ in rows:
        (folder / name).touch()
    lines = [json.dumps({"file_name": name, "label": one}) for name, one in rows]
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    return find_images(str(folder), None, SPLITS)


def _of_parquet(folder: Path, write: Any, label: Any) -> Sources:
    kind = [type(label)("1"), label] if isinstance(label, str) else [label, label]
    write.parquet(folder / "1.parquet", {"image": [b"p"] * 2, "label": kind})
    write.parquet(folder / "2.parquet", {"image": [b"p"] * 2, "label": ["cat", "dog"]})
    return find_images(str(folder), None, SPLITS)


def _of_tar(folder: Path, write: Any, label: Any) -> Sources:
    about = {"0": "cat", "1": "dog", "2": label}
    files = {}
    for name, one in about.items():
        files |= {f"{name}.jpg": b"p", f"{name}.json": json.dumps({"label": one}).encode()}
    write.tar(folder / "a.tar", files)
    return find_images(str(folder), None, SPLITS)


def _of_tfrecord(folder: Path, write: Any, label: Any) -> Sources:
    import tensorflow as tf

    examples = [write.example(b"p", "cat"), write.example(b"q", "dog")]
    odd = tf.train.Example.FromString(examples[0])
    feature = odd.features.feature["image/class/text"]
    feature.Clear()
    values = label if isinstance(label, list) else [label]
    if isinstance(values[0], str):
        feature.bytes_list.value.extend(one.encode() for one in values)
    elif isinstance(values[0], float):
        feature.float_list.value.extend(values)
    else:
        feature.int64_list.value.extend(values)
    write.tfrecord(folder / "a.tfrecord", [*examples, odd.SerializeToString()])
    return find_images(str(folder), None, SPLITS)


READERS = [_of_json_lines, _of_metadata, _of_parquet, _of_tar, _of_tfrecord]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("label", "supported"), [(["cat", "pet"], SEVERAL), ([0, 1], SEVERAL), (0.37, DECIMAL), ("cat\nx", CONTROL)]
)
def test_every_reader_refuses_it_with_its_place(
    tmp_path: Path, write: Any, reader: Any, label: Any, supported: str
) -> None:
    with pytest.raises(BadInput, match=supported) as caught:
        reader(tmp_path, write, label)
    place = {"_of_json_lines": "list.jsonl, line 3", "_of_metadata": "metadata.jsonl, line 3"}
    assert place.get(reader.__name__, "data.images: ") in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("label", [-1, "  ", "", "nan"])
def test_every_reader_leaves_out_images_without_a_label(tmp_path: Path, write: Any, reader: Any, label: Any) -> None:
    sources = reader(tmp_path, write, label)
    assert sources.labels.keys().isdisjoint({"-1", "nan"})
    assert any(item.reason.startswith("has no label") and item.counts for item in sources.left_out)


@pytest.mark.parametrize(
    ("folder", "supported"), [("0.5", DECIMAL), ("a\nb", CONTROL), ("['a', 'b']", SEVERAL), ("x\u2028", CONTROL)]
)
def test_a_class_folder_whose_name_is_no_class_is_refused(folder: str, supported: str, tmp_path: Path) -> None:
    for name in ("cat", "dog", f"{folder}y" if folder.endswith("\u2028") else folder):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    with pytest.raises(BadInput, match=supported):
        find_images(str(tmp_path), None, SPLITS)


@pytest.mark.parametrize("folder", [" ", "-1", "\u2003"])
def test_a_class_folder_that_names_no_class_is_left_out(folder: str, tmp_path: Path) -> None:
    for name in ("cat", "dog", folder):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    (left_out,) = find_images(str(tmp_path), None, SPLITS).left_out
    assert (left_out.reason, left_out.counts) == (f"has no label: the folder {folder!r} names no class", True)


def test_a_class_name_with_a_line_break_is_refused(tmp_path: Path, write: Any) -> None:
    about = json.dumps({"info": {"features": {"label": {"names": ["cat", "d\nog"], "_type": "ClassLabel"}}}})
    write.parquet(tmp_path / "a.parquet", {"image": [b"p"] * 2, "label": [0, 1]}, {"huggingface": about})
    with pytest.raises(BadInput, match=CONTROL):
        find_images(str(tmp_path), None, SPLITS)


def test_whole_numbers_with_a_decimal_point_get_names(tmp_path: Path, write: Any) -> None:
    names = tmp_path / "names.txt"
    names.write_text("cat\ndog\n")
    write.parquet(tmp_path / "data/a.parquet", {"image": [b"p"] * 2, "label": [0.0, 1.0]})
    sources = find_images(str(tmp_path / "data"), None, SPLITS, Layout(label_names=str(names)))
    assert sources.labels == {"cat": 1, "dog": 1}


@pytest.mark.parametrize("labels", [("cat", "dog", "cat|dog"), ("cat|pet", "cat", "dog", "dog|pet")])
def test_a_combined_label_of_a_manifest_is_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    rows = ["path,label"]
    for number, label in enumerate(labels):
        (tmp_path / f"{number}.png").touch()
        rows.append(f"{number}.png,{label}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    with pytest.raises(BadInput, match=r"the label 'cat\|(dog|pet)' lists other labels\. One label per image is"):
        find_images(str(tmp_path), str(tmp_path / "list.csv"), SPLITS)
