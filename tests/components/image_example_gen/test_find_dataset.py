"""Datasets with a split for every image, a test split that only the data names, and a column of groups."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.splits import Splits

TWO = {"train": 0.8, "eval": 0.2}


def _manifest(folder: Path, text: str) -> str:
    for line in text.splitlines()[1:]:
        (folder / line.split(",")[0]).touch()
    (folder / "list.csv").write_text(text)
    return str(folder / "list.csv")


def test_a_test_split_of_the_data_is_added(tmp_path: Path) -> None:
    rows = "".join(f"{number}.png,{'ab'[number % 2]},{'test' if number < 10 else 'Train'}\n" for number in range(50))
    manifest = _manifest(tmp_path, f"path,label,split\n{rows}")
    sources = find_dataset(str(tmp_path), manifest, Splits(TWO), Layout())
    assert sources.splits == {"train": 0.8, "eval": 0.2, "test": 0.25}  # 10 to the other 40
    assert {entry.split for entry in sources.entries} == {"train", "eval", "test"}
    assert sources.notes == ("20% of train are eval",)


def test_only_the_data_puts_images_into_a_split_with_the_fraction_zero(tmp_path: Path) -> None:
    rows = "".join(f"{number}.png,{'ab'[number % 2]},{'test' if number < 10 else ''}\n" for number in range(50))
    manifest = _manifest(tmp_path, f"path,label,split\n{rows}")
    first = find_dataset(str(tmp_path), manifest, Splits(TWO), Layout())
    assert Counter(entry.split for entry in first.entries) == {"train": 32, "eval": 8, "test": 10}
    again = find_dataset(str(tmp_path), manifest, Splits({**TWO, "test": 0}), Layout())
    assert (again.entries, again.splits) == (first.entries, first.splits)


def test_the_fingerprint_does_not_depend_on_the_configured_splits(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, "path,label,split\n1.png,a,test\n2.png,b,train\n3.png,a,train\n")
    found = [
        find_dataset(str(tmp_path), manifest, Splits(fractions), Layout()).fingerprint
        for fractions in (TWO, {**TWO, "test": 0.25})
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("features", [None, ("site",)])
def test_the_column_of_groups_is_read_from_a_manifest(tmp_path: Path, features: tuple[str, ...] | None) -> None:
    rows = "".join(f"{number}.png,{'ab'[number % 2]},p{number // 4},s\n" for number in range(40))
    manifest = _manifest(tmp_path, f"path,label,patient,site\n{rows}")
    sources = find_dataset(str(tmp_path), manifest, Splits(TWO, group="patient"), Layout(features=features))
    assert sources.columns == ("patient", "site")
    splits = {(dict(entry.columns)["patient"], entry.split) for entry in sources.entries}
    assert len(splits) == 10


def test_the_column_of_groups_is_read_from_parquet(write: Any, tmp_path: Path) -> None:
    columns = {"image": [b"p"] * 12, "label": ["cat", "dog"] * 6, "patient": [number // 3 for number in range(12)]}
    write.parquet(tmp_path / "a.parquet", columns)
    sources = find_dataset(str(tmp_path), None, Splits(TWO, group="patient"), Layout())
    assert len({(dict(entry.columns)["patient"], entry.split) for entry in sources.entries}) == 4
