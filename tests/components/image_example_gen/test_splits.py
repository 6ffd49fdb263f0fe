"""Splits of images whose source names none: fractions, stability and groups."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from efficientmixnet.components.image_example_gen.entry import Entry
from efficientmixnet.components.image_example_gen.sources import name_hash
from efficientmixnet.components.image_example_gen.splits import Splits, assign_splits
from efficientmixnet.modules.exceptions import BadInput

TWO = {"train": 0.8, "eval": 0.2}
THREE = {"train": 0.8, "eval": 0.1, "test": 0.1}


def _entries(label: str, numbers: Iterable[int]) -> list[Entry]:
    return [Entry("", f"{label}/{number}.png", label) for number in numbers]


def _split(entries: list[Entry], fractions: Mapping[str, float], group: str | None = None) -> dict[str, str | None]:
    return {entry.name: entry.split for entry in assign_splits(entries, Splits(fractions, group=group))[0]}


def _counts(entries: list[Entry], fractions: Mapping[str, float]) -> Counter:
    return Counter((entry.label, entry.split) for entry in assign_splits(entries, Splits(fractions))[0])


@pytest.mark.parametrize("size", [5, 10, 50, 500, 5000])
@pytest.mark.parametrize("fractions", [TWO, THREE, {"train": 0.5, "eval": 0.3, "test": 0.2}])
def test_every_label_has_nearly_its_fraction_in_every_split(size: int, fractions: dict[str, float]) -> None:
    labels = ["a", "b", "c"]
    found = _counts([entry for label in labels for entry in _entries(label, range(size))], fractions)
    for label in labels:
        for split, fraction in fractions.items():
            # A tenth more or less, or less than one image, for each split that is divided off.
            assert abs(found[label, split] - size * fraction) < max(1, 0.1 * size * fraction) + 0.15 * size * fraction


def test_ten_images_of_two_classes_fill_every_split() -> None:
    for first in range(0, 1000, 10):
        entries = _entries("a", range(first, first + 5)) + _entries("b", range(first, first + 5))
        assert _counts(entries, TWO) == {("a", "train"): 4, ("a", "eval"): 1, ("b", "train"): 4, ("b", "eval"): 1}
        found = _counts(entries, THREE)
        assert [found[label, split] for label in "ab" for split in THREE] == [3, 1, 1, 3, 1, 1]


def test_two_images_of_a_label_are_one_of_each_split_and_a_single_one_is_of_training() -> None:
    entries = _entries("a", range(2)) + _entries("b", [0])
    assert _counts(entries, TWO) == {("a", "train"): 1, ("a", "eval"): 1, ("b", "train"): 1}


def test_a_split_with_a_small_fraction_is_not_empty() -> None:
    found = _counts(_entries("a", range(8)) + _entries("b", range(6)), {"train": 0.99, "eval": 0.01})
    assert found == {("a", "train"): 7, ("a", "eval"): 1, ("b", "train"): 6}


@pytest.mark.parametrize(("fractions", "most"), [(TWO, 1), (THREE, 2)])
def test_one_more_image_moves_at_most_one_image_between_two_splits(fractions: dict[str, float], most: int) -> None:
    others = _entries("other", range(50))
    for first in range(0, 2000, 200):
        before: dict[str, str | None] = {}
        for size in range(2, 120):
            now = _split(_entries("a", range(first, first + size)) + others, fractions)
            assert sum(now[name] != split for name, split in before.items()) <= most
            assert {name: now[name] for name in before if name.startswith("other")} == {
                name: split for name, split in before.items() if name.startswith("other")
            }
            before = now


def test_no_image_of_a_large_label_moves() -> None:
    before = _split(_entries("a", range(2000)) + _entries("b", range(2000)), TWO)
    after = _split(_entries("a", range(2200)) + _entries("c", range(40)), TWO)
    assert all(after[name] == split for name, split in before.items() if name in after)
    assert set(before.values()) == {"train", "eval"}


def test_the_order_of_images_and_of_fractions_has_no_effect() -> None:
    entries = _entries("a", range(30)) + _entries("b", range(30))
    expected = _split(entries, THREE)
    assert _split(entries[::-1], dict(reversed(THREE.items()))) == expected
    assert _split(entries, {"train": 80, "eval": 10, "test": 10}) == expected
    small = _entries("a", range(6)) + _entries("b", range(6))  # Both could give an image to the empty split.
    assert _split(small[::-1], {"train": 0.999, "eval": 0.001}) == _split(small, {"train": 0.999, "eval": 0.001})


def test_a_split_of_the_source_is_kept() -> None:
    entries = [Entry("", "1", "a", "eval"), *_entries("a", range(20))]
    assert _split(entries, {"train": 0.999, "eval": 0.001})["1"] == "eval"


def test_a_split_that_the_source_lacks_is_taken_from_training() -> None:
    entries = [Entry("", f"{label}{n}", label, "train" if n < 20 else "test") for label in "ab" for n in range(30)]
    found, notes = assign_splits(entries, Splits(TWO))
    counts = Counter((entry.label, entry.split) for entry in found)
    assert all(3 <= counts[label, "eval"] <= 5 and counts[label, "test"] == 10 for label in "ab")
    assert notes == ["20% of train are eval"]
    assert all(entry.split == "test" for entry in found if int(entry.name[1:]) >= 20)


def _patients(per_patient: int, patients: int) -> list[Entry]:
    return [
        Entry("", f"{patient}-{number}", "ab"[patient % 2], None, (("patient", f"p{patient}"),))
        for patient in range(patients)
        for number in range(per_patient)
    ]


def test_all_images_of_a_group_are_in_one_split() -> None:
    found = _split(_patients(per_patient=7, patients=40), TWO, group="patient")
    by_patient = {name.split("-")[0]: split for name, split in found.items()}
    assert all(by_patient[name.split("-")[0]] == split for name, split in found.items())
    # Of each label's 20 patients, 4 are expected, and between 3 and 5 allowed.
    assert 6 <= sum(split == "eval" for split in by_patient.values()) <= 10


@pytest.mark.parametrize("missing", ["", "NA", "nan", "None"])
def test_images_without_a_group_are_divided_one_by_one(missing: str) -> None:
    entries = _patients(3, 4) + [Entry("", f"x{number}", "a", None, (("patient", missing),)) for number in range(20)]
    found = _split(entries, TWO, group="patient")
    assert {found[f"x{number}"] for number in range(20)} == {"train", "eval"}


def test_a_group_takes_the_split_that_the_source_gives_one_of_its_images() -> None:
    first, *others = _patients(5, 6)
    found = _split([Entry("", first.name, first.label, "eval", first.columns), *others], TWO, group="patient")
    assert {split for name, split in found.items() if name.startswith("0-")} == {"eval"}


def test_a_group_in_two_splits_of_the_source_is_refused() -> None:
    entries = [Entry("", str(n), "a", split, (("patient", "p"),)) for n, split in enumerate(("train", "test"))]
    with pytest.raises(
        BadInput, match=r"data\.group: the data puts the images of patient=p into the splits test and train"
    ):
        _split(entries, TWO, group="patient")


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(
        BadInput, match=r"data\.group: no image has a value in the column 'pat'; the columns are patient"
    ):
        _split(_patients(2, 2), TWO, group="pat")
    with pytest.raises(BadInput, match=r"the images have no columns"):
        _split(_entries("a", range(3)), TWO, group="pat")


def _accented(form: str) -> list[Entry]:
    names = [unicodedata.normalize(form, f"é{number}") for number in range(40)]
    return [Entry("", name, "ab"[number % 2], None, (("site", name[:-1]),)) for number, name in enumerate(names)]


@pytest.mark.parametrize("group", [None, "site"])
def test_the_form_of_unicode_has_no_effect(group: str | None) -> None:
    composed, decomposed = (list(_split(_accented(form), TWO, group).values()) for form in ("NFC", "NFD"))
    assert composed == decomposed
    mixed = [pair[number % 2] for number, pair in enumerate(zip(_accented("NFC"), _accented("NFD"), strict=True))]
    assert list(_split(mixed, TWO, group).values()) == composed


def test_names_in_composed_characters_keep_their_split() -> None:
    hashes = {"cat/1.png": 0x6A3B843CF66C4612, "forêt/é.png": 0x47CC315340D31730}
    assert {name: name_hash(name) for name in hashes} == hashes
