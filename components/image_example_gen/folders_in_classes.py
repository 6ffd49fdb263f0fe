"""Checks of the folders in class folders: classes that may be splits, folds or copies of the data."""

from collections.abc import Mapping

from efficientmixnet.components.image_example_gen.source_splits import shown
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames
from efficientmixnet.modules.exceptions import BadInput

Inner = Mapping[str, set[str]]
"""By class, the names of the folders directly in its folder."""


def check_classes(where: str, inner: Inner, names: SplitNames) -> str:
    """Checks that no class holds other classes. Returns a note on one that may be a copy of the data, or no text.

    Args:
        where: The folder of the class folders, for messages.
        inner: The folders in each class.
        names: The names of splits.

    Raises:
        BadInput: Such a class is named after a split, as test is in cat, dog, test/cat and test/dog.
    """
    for name, folders in inner.items():
        others = sorted(folders & inner.keys() - {name})
        if not others or (len(others) == 1 and len(folders) > 1):
            continue
        if names.of_name(name):
            raise BadInput(
                f"data.images: {where}: {name} would be a class, but it holds {shown(others)}, as the folder around it "
                "does. Give each split a folder with its class folders, such as train/cat and test/cat, or list the "
                "images in a manifest (data.manifest)."
            )
        classes = f"{shown(others)}, which {'are classes' if len(others) > 1 else 'is a class'} too"
        return f"{name} is a class, and holds {classes}; move it if it is a copy of the data"
    return ""


def alike(inner: Inner) -> str:
    """Returns the beginning of a note on classes that all hold the same folders, and no text otherwise."""
    first, *others = inner.values() if inner else [set()]
    if len(first) < 2 or not others or any(one != first for one in others):
        return ""
    folders, shared = shown(sorted(inner)), shown(sorted(first))
    return f"{folders} are classes, and all hold the folders {shared}; if these are the classes"


def not_held_out(inner: Inner, names: SplitNames) -> str:
    """Returns a note on folders such as cat/test, if all classes have one but none of training, or no text."""
    found = {top: [name for name in sorted(inner[top]) if names.of_name(name) not in (None, TRAIN)] for top in inner}
    if not found or not all(found.values()):
        return ""
    folders = [f"{top}/{name}" for top in sorted(found) for name in found[top]]
    return f"{shown(folders)} are not held out, since the classes have no folders of training images"


def training_among_classes(inner: Inner, names: SplitNames) -> str:
    """Returns a note on a class such as train that holds folders, if no other class does, or no text."""
    holders = [top for top in inner if inner[top]]
    if len(holders) != 1 or names.of_name(holders[0]) != TRAIN or len(inner[holders[0]]) < 2:
        return ""
    (top,) = holders
    return (
        f"{top} is a class, and holds the folders {shown(sorted(inner[top]))}; if these are the classes, name their "
        f"folder in data.layout.split_files, such as {{train: {top!r}}}"
    )
