"""Entries of manifests in CSV and JSON lines."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut, Sources, find_images
from efficientmixnet.modules.exceptions import BadInput
from tests.shared.manifests import SPLITS, read_csv, read_json_lines


def test_a_manifest_names_path_label_and_split(folder: Path) -> None:
    sources = read_csv(folder, "split,path,label\neval,cat/1.png,cat\n,cat/2.png,cat\ntrain,dog/1.png,dog\n")
    assert sources.entries == (
        Entry(str(folder / "cat/1.png"), "cat/1.png", "cat", "eval"),
        Entry(str(folder / "cat/2.png"), "cat/2.png", "cat", None),
        Entry(str(folder / "dog/1.png"), "dog/1.png", "dog", "train"),
    )


def test_a_label_may_contain_a_slash_a_comma_and_accents(folder: Path) -> None:
    sources = read_csv(folder, 'path,label\ncat/1.png,cat/tabby\ndog/1.png,"dog, mâtiné"\n')
    assert [entry.label for entry in sources.entries] == ["cat/tabby", "dog, mâtiné"]


def test_spaces_after_commas_are_no_part_of_labels_and_quotes(folder: Path) -> None:
    sources = read_csv(folder, 'path, label\ncat/1.png, "cat, tabby"\ncat/2.png,"cat, tabby"\ndog/1.png, dog\n')
    assert [entry.label for entry in sources.entries] == ["cat, tabby", "cat, tabby", "dog"]


def test_a_path_has_the_spaces_of_its_file(folder: Path) -> None:
    (folder / " cat").mkdir()
    (folder / " cat" / "1.png ").write_text("image")
    sources = read_csv(folder, 'path,label\n" cat/1.png ",fox\n"cat/1.png ",cat\n"dog/1.png",dog\n')
    assert [(entry.name, entry.label) for entry in sources.entries] == [
        (" cat/1.png ", "fox"),
        ("cat/1.png", "cat"),
        ("dog/1.png", "dog"),
    ]


@pytest.mark.parametrize("read", [read_csv, read_json_lines])
def test_a_manifest_without_ends_of_lines_is_not_read_into_memory(
    folder: Path, read: Callable[[Path, str], Sources]
) -> None:
    rows = "path,label\ncat/1.png,cat\n" if read is read_csv else '{"path": "cat/1.png", "label": "cat"}\n'
    with pytest.raises(BadInput, match="has a line of more than 1,048,576 characters"):
        read(folder, rows + "\0" * 3_000_000)


def test_a_byte_order_mark_is_ignored(folder: Path) -> None:
    sources = read_csv(folder, "path,label\ncat/1.png,cat\ndog/1.png,dog\n", encoding="utf-8-sig")
    assert [entry.name for entry in sources.entries] == ["cat/1.png", "dog/1.png"]


def test_a_manifest_takes_absolute_paths(folder: Path) -> None:
    sources = read_csv(folder, f"path,label\n{folder}/cat/1.png,cat\ndog/1.png,dog\n")
    assert sources.entries[0].path == str(folder / "cat/1.png")


@pytest.mark.parametrize(
    ("row", "left_out"),
    [
        (",cat,", ("list.csv, line 4", "has no path")),
        ("cat/1.png,,", ("cat/1.png", "has no label (list.csv, line 4)")),
        ("cat/9.png,cat,", ("cat/9.png", "does not exist (list.csv, line 4)")),
        ("cat,cat,", ("cat", "does not exist (list.csv, line 4)")),
        (
            "cat/1.png,cat,holdout",
            (
                "cat/1.png",
                "has the split 'holdout', which is not one of eval, train; map it in data.split_names "
                "(list.csv, line 4)",
            ),
        ),
    ],
)
def test_a_bad_row_of_a_manifest_is_left_out_with_its_line(folder: Path, row: str, left_out: tuple[str, str]) -> None:
    sources = read_csv(folder, f"path,label,split\ncat/2.png,cat,\ndog/1.png,dog,\n{row}\n")
    assert [(item.row(), item.counts) for item in sources.left_out] == [(left_out, True)]
    assert len(sources.entries) == 2


@pytest.mark.parametrize(
    ("header", "missing"),
    [("file,label", "no column path"), ("path", "no column label"), ("a;b", "no column label and no column path")],
)
def test_for_a_manifest_without_its_columns_the_message_has_the_first_line(
    folder: Path, header: str, missing: str
) -> None:
    with pytest.raises(BadInput, match=f"data.manifest: .*list.csv has {missing}. Its first line is '{header}'"):
        read_csv(folder, f"{header}\ncat/1.png,cat\n")


def test_a_manifest_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.manifest: .*none\.csv does not exist. Give a CSV file"):
        find_images(str(folder), str(folder / "none.csv"), SPLITS)


def test_for_a_manifest_of_missing_files_the_message_names_the_first(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"no image can be used. The first: x\.png does not exist"):
        read_csv(folder, "path,label\nx.png,cat\ny.png,dog\n")


def test_a_manifest_with_only_a_header_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="has no rows"):
        read_csv(folder, "path,label\n")


def test_a_manifest_in_another_encoding_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="is not UTF-8"):
        read_csv(folder, "path,label\ncat/1.png,größe\n", encoding="latin-1")


def test_a_manifest_that_is_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        find_images(str(folder), str(folder), SPLITS)


def test_a_path_too_long_for_the_file_system_does_not_exist(folder: Path) -> None:
    sources = read_csv(folder, f"path,label\ncat/1.png,cat\ndog/1.png,dog\n{'x' * 5000}.png,cat\n")
    assert [item.reason for item in sources.left_out] == ["does not exist (list.csv, line 4)"]


def test_empty_rows_are_skipped(folder: Path) -> None:
    sources = read_csv(folder, "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\n" + ",,\n, ,\n" * 3)
    assert (len(sources.entries), sources.left_out) == (2, ())
    sources = read_csv(folder, "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\n,cat,\n")
    assert sources.left_out == (LeftOut("list.csv, line 4", "has no path", True),)


def test_further_columns_of_a_manifest_are_kept(folder: Path) -> None:
    sources = read_csv(folder, "path,label,camera,site\ncat/1.png,cat, phone ,north\ndog/1.png,dog,,south\n")
    assert [entry.columns for entry in sources.entries] == [
        (("camera", "phone"), ("site", "north")),
        (("camera", ""), ("site", "south")),
    ]
    assert sources.columns == ("camera", "site")


def test_json_lines_give_the_same_entries_as_csv(folder: Path) -> None:
    sources = read_json_lines(
        folder,
        '{"path": "cat/1.png", "label": "größe", "split": "eval", "lux": 3}',
        "",
        '{"path": "dog/1.png", "label": 7, "split": null}',
        '{"path": "dog/2.png"}',
    )
    assert sources.entries == (
        Entry(str(folder / "cat/1.png"), "cat/1.png", "größe", "eval", (("lux", "3"),)),
        Entry(str(folder / "dog/1.png"), "dog/1.png", "7"),
    )
    assert [item.row() for item in sources.left_out] == [("dog/2.png", "has no label (list.jsonl, line 4)")]
    assert sources.columns == ("lux",)


def test_the_columns_of_a_manifest_have_the_names_of_the_layout(folder: Path) -> None:
    lines = '{"file": "cat/1.png", "kind": 1, "site": "n"}', '{"file": "dog/1.png", "kind": 0, "site": "s"}'
    names = folder.parent / "names.txt"
    names.write_text("dog\ncat\n")
    layout = Layout(image="file", label="kind", features=(), label_names=str(names))
    sources = read_json_lines(folder, *lines, layout=layout)
    assert [(entry.label, entry.columns) for entry in sources.entries] == [("cat", ()), ("dog", ())]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"path": ', r"line 2 is not JSON \(Expecting value\)"),
        ('{"file": "a"}', """line 2 has no 'path'. Write lines such as {"path": "cat/1.jpg", "label": "cat"}"""),
        ('["cat/1.png"]', "line 2 has no 'path'"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(folder: Path, line: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=f"data.manifest: .*list.jsonl, {complaint}"):
        read_json_lines(folder, '{"path": "cat/1.png", "label": "cat"}', line)


GOOD = ('{"path": "cat/1.png", "label": "cat"}', '{"path": "dog/1.png", "label": "dog"}')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"path": "x", "label": %s}' % ("[" * 5000 + "]" * 5000), "its lists or objects are nested too deep"),
        ('{"path": "x", "label": %s}' % ("9" * 5000), "a number has too many digits"),
        ('{"path": "x", "label": "a", "label": "b"}', "the name 'label' is given twice"),
        ("[", "Expecting value"),
    ],
)
def test_a_line_that_cannot_be_parsed_is_named_with_its_reason(folder: Path, line: str, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_json_lines(folder, *GOOD, line)
    assert f"list.jsonl, line 3 is not JSON ({reason}). Write one object on each line." in str(caught.value)


@pytest.mark.parametrize(
    ("line", "name", "reason"),
    [
        (
            '{"path": "\\ud800.png", "label": "cat"}',
            "\\ud800.png",
            "path, label or split (\\ud800, list.jsonl, line 3)",
        ),
        ('{"path": "cat/2.png", "label": "\\udfff"}', "cat/2.png", "split (\\udfff, list.jsonl, line 3)"),
        ('{"path": "cat/2.png\\u0000", "label": "a"}', "cat/2.png\0", "split (\\x00, list.jsonl, line 3)"),
        ('{"path": "cat/2.png", "label": "a", "x": "\\ud800"}', "cat/2.png", "name, label or columns (\\ud800)"),
        ('{"path": "cat/2.png", "label": "a", "\\ud800": 1}', "cat/2.png", "name, label or columns (\\ud800)"),
    ],
)
def test_text_that_no_file_can_hold_is_left_out(folder: Path, line: str, name: str, reason: str) -> None:
    sources = read_json_lines(folder, *GOOD, line)
    (left_out,) = sources.left_out
    assert left_out.name == name
    assert left_out.reason.startswith("has a character that is not text in its ")
    assert left_out.reason.endswith(reason)
    left_out.name.encode()
    assert len(sources.entries) == 2


def test_a_column_given_twice_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"list\.csv has the column 'label' twice\. Remove or rename one\."):
        read_csv(folder, "path,label,label\ncat/1.png,cat,dog\n")


def test_a_cell_that_is_too_long_is_named_with_its_line(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"list\.csv, line 3 is not CSV in UTF-8 \(field larger than"):
        read_csv(folder, f"path,label\ncat/1.png,cat\ndog/1.png,{'x' * 200_000}\n")


def test_a_device_is_not_read_as_aread_csv(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.manifest: /dev/zero is not a file\."):
        find_images(str(folder), "/dev/zero", SPLITS)


@pytest.mark.parametrize(
    "scheme", ["file:", "FILE:", "zip:", "http:", "https:", "ftp:", "github:", "s3::zip:", "simplecache::s3:"]
)
def test_a_url_of_another_kind_of_store_is_left_out_with_its_line(folder: Path, scheme: str) -> None:
    url = f"{scheme}//{folder}/cat/1.png"
    sources = read_csv(folder, f"path,label\ncat/1.png,cat\ndog/1.png,dog\n{url},cat\n")
    assert sources.left_out == (LeftOut(url, "is not on this machine, in gs:// or in s3:// (list.csv, line 4)"),)


def test_without_credentials_the_row_and_the_variables_to_set_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoCredentialsError(Exception):
        pass

    class Store:
        def info(self, path: str) -> None:
            raise NoCredentialsError("Unable to locate credentials")

    monkeypatch.setattr("efficientmixnet.components.image_example_gen.files._store", lambda path: Store())
    with pytest.raises(BadInput) as caught:
        read_csv(folder, "path,label\ncat/1.png,cat\ndog/1.png,dog\ns3://bar/x.png,dog\n")
    assert str(caught.value) == (
        "data.manifest: list.csv, line 4: s3://bar/x.png cannot be read (Unable to locate credentials; set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)"
    )


def test_test_images_without_labels_do_not_count(folder: Path) -> None:
    sources = read_csv(folder, "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ncat/2.png,,Test\ndog/2.png,,train\n")
    assert [(item.name, item.counts) for item in sources.left_out] == [("cat/2.png", False), ("dog/2.png", True)]


def test_a_row_with_more_values_than_columns_is_refused_with_its_line(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"list\.csv, line 3 has more values than the header has columns; put text"):
        read_csv(folder, "path,label\ncat/1.png,cat\ndog/1.png,crane, bird\n")


def test_commas_without_values_at_the_end_of_a_row_are_ignored(folder: Path) -> None:
    sources = read_csv(folder, "path,label\ncat/1.png,cat,\ndog/1.png,dog, ,\n")
    assert sources.labels == {"cat": 1, "dog": 1}


@pytest.mark.parametrize("row", ['cat/2.png,"cat', '"cat/2.png,cat', 'cat/2.png,"cat" or dog'])
def test_a_quote_that_is_not_closed_is_refused_with_its_line(folder: Path, row: str) -> None:
    with pytest.raises(
        BadInput, match=r"list\.csv, line 3 is not CSV in UTF-8 \(.*\)\. Separate values by commas, and close"
    ):
        read_csv(folder, f"path,label\ncat/1.png,cat\n{row}\ndog/1.png,dog\ndog/2.png,dog\n")


@pytest.mark.parametrize(
    "header", ["path,label,Split", "path,label, split", " Path ,LABEL,SPLIT", "file_name,Label,Split"]
)
def test_the_usual_columns_are_found_in_another_case_and_with_spaces(folder: Path, header: str) -> None:
    sources = read_csv(folder, f"{header},Site\ncat/1.png,cat,train,n\ndog/1.png,dog,eval,s\n")
    assert [(entry.label, entry.split, entry.columns) for entry in sources.entries] == [
        ("cat", "train", (("Site", "n"),)),
        ("dog", "eval", (("Site", "s"),)),
    ]


def test_the_usual_keys_of_json_lines_are_found_in_another_case(folder: Path) -> None:
    sources = read_json_lines(
        folder,
        '{"Path": "cat/1.png", "Label": "cat", "Split": "eval"}',
        '{"path": "dog/1.png", "label": "dog", "split": "train"}',
    )
    assert [(entry.label, entry.split, entry.columns) for entry in sources.entries] == [
        ("cat", "eval", ()),
        ("dog", "train", ()),
    ]


def test_a_column_with_the_exact_name_comes_first(folder: Path) -> None:
    sources = read_csv(folder, "path,label,Label,split,Split\ncat/1.png,cat,x,train,y\ndog/1.png,dog,x,eval,y\n")
    assert [(entry.label, entry.split) for entry in sources.entries] == [("cat", "train"), ("dog", "eval")]
    assert sources.columns == ("Label", "Split")


def test_two_columns_with_the_same_usual_name_are_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"list\.csv has the column 'split' twice\. Remove or rename one\."):
        read_csv(folder, "path,label,Split,SPLIT\ncat/1.png,cat,train,eval\n")


@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_a_file_is_found_in_another_form_of_unicode(tmp_path: Path, written: str) -> None:
    stored = {"NFC": "NFD", "NFD": "NFC"}[written]
    names = [unicodedata.normalize(stored, name) for name in ("forêt/é.png", "forêt/ü.png")]
    data = tmp_path / "data"
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    rows = [f"{unicodedata.normalize(written, name)},{label}" for name, label in zip(names, "ab", strict=True)]
    sources = read_csv(data, "\n".join(["path,label", *rows]))
    assert {(entry.name, entry.path) for entry in sources.entries} == {(name, str(data / name)) for name in names}
    assert sources.left_out == ()
