"""A column of a manifest that has splits, but another name, gets a note."""

from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from tests.shared.manifests import SPLITS, read_csv


def _sources(folder: Path, column: str, *values: str) -> Sources:
    rows = zip(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"), ("cat", "cat", "dog", "dog"), values, strict=True)
    return read_csv(folder, f"path,label,{column}\n" + "".join(f"{','.join(row)}\n" for row in rows))


@pytest.mark.parametrize("values", [("train", "train", "Test", "val"), ("Training", "NA", "dev", "")])
def test_a_column_with_names_of_splits_is_named_with_the_key(folder: Path, values: tuple[str, ...]) -> None:
    sources = _sources(folder, "subset", *values)
    assert {entry.split for entry in sources.entries} == {None}
    assert sources.notes == (
        "the column subset names splits, but is not used; set data.layout.split to subset to use it",
    )
    cured = find_images(str(folder), str(folder.parent / "list.csv"), SPLITS | {"test"}, Layout(split="subset"))
    assert "train" in {entry.split for entry in cured.entries}
    assert cured.notes == ()


@pytest.mark.parametrize(
    ("column", "values"), [("is_valid", ("False", "False", "True", "False")), ("test", tuple("0010"))]
)
def test_a_flag_that_is_named_after_a_split_is_named(folder: Path, column: str, values: tuple[str, ...]) -> None:
    assert _sources(folder, column, *values).notes == (
        f"the column {column} may name the split, but is not used; add a column split with train and eval",
    )


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("site", ("train", "train", "train", "train")),
        ("site", ("train", "bus", "train", "tram")),
        ("site", ("test", "val", "test", "val")),
        ("fold", ("0", "1", "2", "3")),
        ("is_wild", ("0", "1", "0", "1")),
        ("test_date", ("2020", "2021", "2020", "2021")),
        ("is_valid", ("True", "True", "True", "True")),
        ("split", ("train", "test", "train", "eval")),
    ],
)
def test_other_columns_get_no_note(folder: Path, column: str, values: tuple[str, ...]) -> None:
    assert _sources(folder, column, *values).notes == ()
