"""Masks of segmentation in class folders, as in datasets of Kaggle, and images that only seem to be masks."""

from collections import Counter
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
BUSI = "{label}/{label} ({number}){kind}.png"
BUSI_KINDS = ("", "_mask", "_mask_1")
IN_FOLDERS = ("images", "masks")


@pytest.mark.parametrize(
    ("pattern", "kinds", "note"),
    [
        (BUSI, BUSI_KINDS, "12 files are masks of other images and are not used, such as benign/benign (0)_mask.png"),
        ("{label}/{kind}/{number}.png", IN_FOLDERS, "6 files are masks of other images"),
        ("train/{label}/{kind}/{number}.png", IN_FOLDERS, "6 files are masks of other images"),
        ("{label}/{number}{kind}.jpg", ("", "-seg"), "6 files are masks of other images"),
    ],
)
def test_masks_are_left_out(tmp_path: Path, pattern: str, kinds: tuple[str, ...], note: str) -> None:
    for label in ("benign", "malignant"):
        for number in range(3):
            for kind in kinds:
                file = tmp_path / pattern.format(label=label, number=number, kind=kind)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    found = find_images(str(tmp_path), None, SPLITS)
    assert found.labels == Counter(benign=3, malignant=3)
    assert len(found.left_out) == 6 * (len(kinds) - 1)
    assert not any(item.counts for item in found.left_out)
    assert note in " ".join(found.notes)


def test_a_mask_whose_name_looks_like_a_secret_is_left_out(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/token=1.png", "b/token=1_mask.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_images(str(tmp_path), None, SPLITS)
    assert [entry.name for entry in found.entries] == ["a/1.png", "b/token=1.png"]


def test_a_folder_of_annotations_beside_one_of_images_is_no_class(tmp_path: Path) -> None:
    for name in ("Images/beagle/1.jpg", "Images/pug/2.jpg", "Annotation/beagle/1", "Annotation/pug/2"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(BadInput, match=r"only the class 'Images' has images.* give it as data\.images"):
        find_images(str(tmp_path), None, SPLITS)


@pytest.mark.parametrize(
    "names",
    [
        ("mask/1.png", "mask/2.png", "no_mask/1.png", "no_mask/2.png"),
        ("with_mask/with_mask_1.png", "with_mask/with_mask_2.png", "without/1.png", "without/2.png"),
        ("labels/1.png", "labels/2.png", "bottles/1.png", "bottles/2.png"),
        ("cat/1.png", "cat/2_mask.png", "dog/2.png", "dog/1_mask.png"),
    ],
)
def test_images_of_masks_are_images(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_images(str(tmp_path), None, SPLITS)
    assert tuple(entry.name for entry in found.entries) == tuple(sorted(names))
    assert not any("masks" in note for note in found.notes)
