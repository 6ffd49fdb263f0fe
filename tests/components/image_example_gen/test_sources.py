"""Class folders and manifests become entries."""

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut, Sources, find_pictures, split_of
from efficientmixnet.modules.bad_input import BadInput

SPLITS = frozenset({"train", "eval"})
SHARES = {"train": 0.8, "eval": 0.2}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes with two files each; nothing here opens a picture, so they need not be any."""
    data = tmp_path / "pictures"
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
        _write(data / name)
    return data


def _write(path: Path, content: str = "picture") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _found(data: Path) -> dict[str, str]:
    return {entry.name: entry.label for entry in find_pictures(str(data), None, SPLITS).entries}


def _manifest(data: Path, text: str, encoding: str = "utf-8") -> Sources:
    manifest = data.parent / "list.csv"
    manifest.write_text(text, encoding=encoding)
    return find_pictures(str(data), str(manifest), SPLITS)


def test_a_folder_is_a_class(folder: Path) -> None:
    assert _found(folder) == {"cat/1.png": "cat", "cat/2.png": "cat", "dog/1.png": "dog", "dog/2.png": "dog"}


def test_pictures_in_nested_folders_belong_to_the_outermost_one(folder: Path) -> None:
    _write(folder / "cat/indoors/sofa/3.png")
    assert _found(folder)["cat/indoors/sofa/3.png"] == "cat"


def test_hidden_files_and_folders_are_no_pictures(folder: Path) -> None:
    for name in (".DS_Store", ".git/1.png", "cat/.hidden.png", "cat/.thumbnails/1.png"):
        _write(folder / name)
    sources = find_pictures(str(folder), None, SPLITS)
    assert len(sources.entries) == 4
    assert sources.left_out == ()


def test_a_class_name_keeps_its_spaces_and_accents(folder: Path) -> None:
    _write(folder / "große Bären à la carte/pré 1.png")
    assert _found(folder)["große Bären à la carte/pré 1.png"] == "große Bären à la carte"


def test_two_spellings_of_one_accent_are_one_class(folder: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "bär") for form in ("NFC", "NFD"))
    assert composed != decomposed
    _write(folder / composed / "1.png")
    _write(folder / decomposed / "2.png")
    assert find_pictures(str(folder), None, SPLITS).labels == Counter(cat=2, dog=2, **{composed: 2})


def test_a_picture_beside_the_class_folders_is_left_out_and_counts(folder: Path) -> None:
    _write(folder / "stray.jpg")
    _write(folder / "notes.txt")
    assert find_pictures(str(folder), None, SPLITS).left_out == (
        LeftOut("notes.txt", "lies in no class folder", counts=False),
        LeftOut("stray.jpg", "lies in no class folder", counts=True),
    )


def test_a_manifest_names_path_label_and_split(folder: Path) -> None:
    sources = _manifest(folder, "split,path,label\neval,cat/1.png,cat\n,cat/2.png,cat\ntrain,dog/1.png,dog\n")
    assert sources.entries == (
        Entry(str(folder / "cat/1.png"), "cat/1.png", "cat", "eval"),
        Entry(str(folder / "cat/2.png"), "cat/2.png", "cat", None),
        Entry(str(folder / "dog/1.png"), "dog/1.png", "dog", "train"),
    )


def test_a_label_of_a_manifest_may_hold_a_slash_a_comma_and_accents(folder: Path) -> None:
    sources = _manifest(folder, 'path,label\ncat/1.png,cat/tabby\ndog/1.png,"dog, mâtiné"\n')
    assert [entry.label for entry in sources.entries] == ["cat/tabby", "dog, mâtiné"]


def test_a_manifest_saved_by_a_spreadsheet_starts_with_a_byte_order_mark(folder: Path) -> None:
    sources = _manifest(folder, "path,label\ncat/1.png,cat\ndog/1.png,dog\n", encoding="utf-8-sig")
    assert [entry.name for entry in sources.entries] == ["cat/1.png", "dog/1.png"]


def test_a_manifest_takes_absolute_paths(folder: Path) -> None:
    sources = _manifest(folder, f"path,label\n{folder}/cat/1.png,cat\ndog/1.png,dog\n")
    assert sources.entries[0].path == str(folder / "cat/1.png")


@pytest.mark.parametrize(
    ("row", "left_out"),
    [
        (",cat,", ("list.csv, line 4", "the row names no path")),
        ("cat/1.png,,", ("cat/1.png", "has no label (list.csv, line 4)")),
        ("cat/9.png,cat,", ("cat/9.png", "does not exist (list.csv, line 4)")),
        ("cat,cat,", ("cat", "does not exist (list.csv, line 4)")),
        (
            "cat/1.png,cat,test",
            ("cat/1.png", "is of split 'test', which is none of eval, train (list.csv, line 4)"),
        ),
    ],
)
def test_a_bad_row_of_a_manifest_is_left_out_with_its_line(folder: Path, row: str, left_out: tuple[str, str]) -> None:
    sources = _manifest(folder, f"path,label,split\ncat/2.png,cat,\ndog/1.png,dog,\n{row}\n")
    assert [(item.row(), item.counts) for item in sources.left_out] == [(left_out, True)]
    assert len(sources.entries) == 2


@pytest.mark.parametrize(
    ("header", "missing"),
    [("file,label", "no column path"), ("path", "no column label"), ("a;b", "no column label and no column path")],
)
def test_a_manifest_without_its_columns_is_refused_with_what_its_first_line_says(
    folder: Path, header: str, missing: str
) -> None:
    with pytest.raises(BadInput, match=f"data.manifest: .*list.csv has {missing}; its first line reads '{header}'"):
        _manifest(folder, f"{header}\ncat/1.png,cat\n")


def test_a_manifest_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.manifest: .*none\.csv does not exist; name a CSV file"):
        find_pictures(str(folder), str(folder / "none.csv"), SPLITS)


def test_a_manifest_of_missing_files_alone_names_the_first(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"names no picture that could be read; the first: x\.png does not exist"):
        _manifest(folder, "path,label\nx.png,cat\ny.png,dog\n")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.pictures: .*/none does not exist; name the folder"):
        find_pictures(str(tmp_path / "none"), None, SPLITS)


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "one.png")
    with pytest.raises(BadInput, match=r"one\.png is a file, not a folder"):
        find_pictures(str(tmp_path / "one.png"), None, SPLITS)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no pictures; put those of each class into a folder of its own"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_pictures_without_class_folders_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "1.jpg")
    with pytest.raises(BadInput, match="has pictures but no class folders; move the pictures of each class"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_one_class_only_is_refused_by_name(tmp_path: Path) -> None:
    _write(tmp_path / "cat/1.png")
    with pytest.raises(BadInput, match="only one class, 'cat', has pictures; a classifier needs two or more"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_the_manifest_decides_the_split() -> None:
    assert split_of(Entry("/1", "1", "cat", "eval"), {"train": 1.0, "eval": 1e-9}) == "eval"


def test_the_splits_have_the_shares_asked_for() -> None:
    shares = {"train": 0.7, "eval": 0.2, "test": 0.1}
    counts = Counter(split_of(Entry("", f"class/{number}.png", ""), shares) for number in range(10_000))
    # The standard deviation of a share is below 0.005.
    assert {split: round(count / 10_000, 4) for split, count in counts.items()} == pytest.approx(shares, abs=0.015)


def test_shares_need_not_sum_to_one() -> None:
    entries = [Entry("", f"class/{number}.png", "") for number in range(500)]
    percent = [split_of(entry, {"train": 80, "eval": 20}) for entry in entries]
    assert percent == [split_of(entry, SHARES) for entry in entries]


def test_a_pictures_split_stays_when_others_come_or_go(folder: Path) -> None:
    for number in range(50):
        _write(folder / f"cat/{number}.png")
    before = {e.name: split_of(e, SHARES) for e in find_pictures(str(folder), None, SPLITS).entries}
    for number in range(50):
        _write(folder / f"ant/{number}.png")
        _write(folder / f"cat/a{number}.png")
    (folder / "cat/7.png").unlink()
    after = {e.name: split_of(e, SHARES) for e in find_pictures(str(folder), None, SPLITS).entries}
    assert set(before.values()) == {"train", "eval"}
    assert {name: after[name] for name in before if name in after} == {
        name: split for name, split in before.items() if name != "cat/7.png"
    }


def test_the_fingerprint_stays_while_nothing_changes(folder: Path) -> None:
    first = find_pictures(str(folder), None, SPLITS).fingerprint
    _write(folder / "cat/.hidden")
    _write(folder / "notes.txt")
    assert find_pictures(str(folder), None, SPLITS).fingerprint == first


@pytest.mark.parametrize("change", ["size alone", "time alone", "added", "removed", "renamed", "other class"])
def test_the_fingerprint_changes_with_every_picture(folder: Path, change: str) -> None:
    first = find_pictures(str(folder), None, SPLITS).fingerprint
    picture = folder / "cat/1.png"
    before = picture.stat().st_mtime_ns
    if change == "size alone":
        picture.write_text("another picture")
        os.utime(picture, ns=(before, before))
    elif change == "time alone":
        picture.write_text("erutcip")
        os.utime(picture, ns=(before + 1_000_000, before + 1_000_000))
    elif change == "added":
        _write(folder / "cat/3.png")
    elif change == "removed":
        picture.unlink()
    elif change == "renamed":
        picture.rename(folder / "cat/one.png")
    else:
        picture.rename(folder / "dog/one.png")
    assert find_pictures(str(folder), None, SPLITS).fingerprint != first


def test_the_fingerprint_changes_with_a_label_or_split_of_the_manifest(folder: Path) -> None:
    texts = (
        "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ndog/2.png,dog,\n",
        "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ndog/2.png,cat,\n",
        "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ndog/2.png,dog,eval\n",
    )
    assert len({_manifest(folder, text).fingerprint for text in texts}) == 3


def test_the_size_is_that_of_all_files_together(folder: Path) -> None:
    assert find_pictures(str(folder), None, SPLITS).bytes == 4 * len("picture")


def test_a_manifest_with_a_header_alone_has_no_rows(folder: Path) -> None:
    with pytest.raises(BadInput, match="has no rows"):
        _manifest(folder, "path,label\n")


def test_a_broken_link_is_left_out(folder: Path) -> None:
    (folder / "cat/broken.png").symlink_to("nowhere.png")
    sources = find_pictures(str(folder), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [
        ("cat/broken.png", "cannot be read: No such file or directory")
    ]


def test_a_file_name_that_is_not_utf_8_is_left_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder / "cat") + b"/\xff.png")).write_text("picture")
    sources = find_pictures(str(folder), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [("cat/?.png", "has a name that is not UTF-8")]


def test_a_manifest_in_another_encoding_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="is not UTF-8"):
        _manifest(folder, "path,label\ncat/1.png,größe\n", encoding="latin-1")


def test_a_manifest_that_is_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        find_pictures(str(folder), str(folder), SPLITS)


def test_a_path_too_long_for_the_file_system_does_not_exist(folder: Path) -> None:
    sources = _manifest(folder, f"path,label\ncat/1.png,cat\ndog/1.png,dog\n{'x' * 5000}.png,cat\n")
    assert [item.reason for item in sources.left_out] == ["does not exist (list.csv, line 4)"]


def test_a_picture_named_twice_counts_once_and_a_second_label_is_bad(folder: Path) -> None:
    rows = "cat/1.png,cat\ndog/1.png,dog\ncat/1.png,cat\ncat/1.png,dog\n"
    sources = _manifest(folder, f"path,label\n{rows}")
    assert sources.labels == {"cat": 1, "dog": 1}
    assert sources.left_out == (LeftOut("cat/1.png", "has been named before, as 'cat' (list.csv, line 5)", True),)


def test_further_columns_of_a_manifest_are_kept(folder: Path) -> None:
    sources = _manifest(folder, "path,label,camera,site\ncat/1.png,cat, phone ,north\ndog/1.png,dog,,south\n")
    assert [entry.columns for entry in sources.entries] == [
        (("camera", "phone"), ("site", "north")),
        (("camera", ""), ("site", "south")),
    ]
    assert sources.columns == ("camera", "site")


def _json_lines(data: Path, *lines: str, layout: Layout | None = None) -> Sources:
    manifest = data.parent / "list.jsonl"
    manifest.write_text("\n".join(lines), encoding="utf-8")
    return find_pictures(str(data), str(manifest), SPLITS, layout)


def test_a_manifest_of_json_lines_says_the_same_as_one_of_csv(folder: Path) -> None:
    sources = _json_lines(
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


def test_a_manifests_columns_go_by_the_names_of_the_layout(folder: Path) -> None:
    lines = '{"file": "cat/1.png", "kind": 1, "site": "n"}', '{"file": "dog/1.png", "kind": 0, "site": "s"}'
    names = folder.parent / "names.txt"
    names.write_text("dog\ncat\n")
    layout = Layout(picture="file", label="kind", features=(), label_names=str(names))
    sources = _json_lines(folder, *lines, layout=layout)
    assert [(entry.label, entry.columns) for entry in sources.entries] == [("cat", ()), ("dog", ())]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"path": ', r"line 2 is not JSON \(Expecting value\)"),
        ('{"file": "a"}', """line 2 has no 'path'; each line is such as {"path": "cat/1.jpg", "label": "cat"}"""),
        ('["cat/1.png"]', "line 2 has no 'path'"),
    ],
)
def test_a_line_that_is_none_of_json_lines_is_named(folder: Path, line: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=f"data.manifest: .*list.jsonl, {complaint}"):
        _json_lines(folder, '{"path": "cat/1.png", "label": "cat"}', line)


def test_label_names_that_cannot_be_read_are_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.layout\.label_names: .*none\.txt cannot be read"):
        find_pictures(str(folder), None, SPLITS, Layout(label_names=str(folder / "none.txt")))
