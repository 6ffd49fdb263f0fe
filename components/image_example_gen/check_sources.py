"""Checks of a listed dataset: whether it has images, what the layout says, and labels that can be learned."""

from collections.abc import Iterable, Sequence

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.labels import combined_label
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames
from efficientmixnet.modules.exceptions import BadInput

_NOT_OF_FOLDERS = ("image", "label", "features")  # keys of the layout that name columns


def check_labels(
    where: str,
    labels: Sequence[str],
    left_out: Iterable[LeftOut],
    by_folder: bool,
    names: SplitNames,
    least: int = 2,
) -> None:
    """Checks that a classifier can learn the labels.

    Args:
        where: The data folder or the manifest, for the message.
        labels: The labels, in order, each once.
        left_out: The files that are not used.
        by_folder: Whether the labels are names of folders.
        names: The names of splits.
        least: The least number of labels. One is enough to measure a model.

    Raises:
        BadInput: There are too few labels, they are names of splits, or one lists others.
    """
    if len(labels) < least:
        cure = (
            f", each in its own folder. If {labels[0]!r} holds these folders, give it as data.images, or, in folders of"
            f" splits, in data.layout.split_files, such as {{train: train/{labels[0]}}}"
        )
        raise BadInput(
            f"{where}: only the class {labels[0]!r} has images. A classifier needs two or more classes"
            f"{cure if by_folder else ''}."
            + next((f" Left out: {item.name} {item.reason}." for item in left_out if item.counts), "")
        )
    if by_folder and _are_splits([names.of_name(label) for label in labels]):
        raise BadInput(
            f"{where}: the folders {', '.join(labels)} look like splits, but hold no class folders of the same names. "
            "Put the images of each class into a folder in each split, or list labels in a manifest (data.manifest)."
        )
    if combined := combined_label(labels):
        raise BadInput(
            f"{where}: the label {combined!r} lists other labels. One label per image is supported. Rename it if it "
            "is a class."
        )


def _are_splits(meanings: Sequence[str | None]) -> bool:
    """Returns whether folders are splits: each is another one, or all are for training or held out.

    Folders such as test_tube and test_strip are classes.
    """
    return None not in meanings and (len(set(meanings)) == len(meanings) or {TRAIN} < set(meanings))


def check_split(column: str | None, found: Iterable[Entry | LeftOut]) -> None:
    """Checks that the data names splits where the layout says. Otherwise test images would be trained on.

    Args:
        column: The column, feature or file extension of the split; None for the usual one.
        found: The images, and the files that are not used.

    Raises:
        BadInput: It has no splits.
    """
    if column and not any(item.split for item in found):
        raise BadInput(
            f"data.layout.split: no image has a value in {column!r}. Name the column, feature or file extension with "
            "the splits, or remove data.layout.split."
        )


def check_effect(layout: Layout, group: str | None, by_folder: bool, has_span: bool) -> None:
    """Checks that each key has an effect. Whoever sets one expects other labels, features or splits.

    Args:
        layout: The layout of the configuration.
        group: The column of the group; None for none.
        by_folder: Whether the labels are names of folders.
        has_span: Whether a span of the data was read.

    Raises:
        BadInput: A key has none.
    """
    if layout.span is not None and not has_span:
        raise BadInput(
            "data.layout.span: has no effect, since neither data.images nor data.manifest has {SPAN} or a date in its "
            "path. Remove it."
        )
    columns = {**{f"data.layout.{key}": getattr(layout, key) for key in _NOT_OF_FOLDERS}, "data.group": group}
    if by_folder and (key := next((one for one, value in columns.items() if value), None)):
        raise BadInput(
            f"{key}: has no effect on class folders. Remove it, or list the images in a manifest (data.manifest)."
        )


def nothing_found(
    where: str, left_out: Sequence[LeftOut], is_manifest: bool, kind: str, lists: Sequence[str]
) -> BadInput:
    """Returns the error for data without any image that can be used.

    Args:
        where: The data folder or the manifest.
        left_out: The files that are not used.
        is_manifest: Whether a table lists the images.
        kind: The format of the data, one of Layout.format.
        lists: The tables of Hugging Face's form below the data folder.
    """
    if is_manifest or kind != "folders" or any(item.is_folder for item in left_out):
        if left_out:
            return BadInput(f"{where}: no image can be used. The first: {left_out[0].name} {left_out[0].reason}.")
        if is_manifest:
            return BadInput(f"{where}: has no rows. Give a row path,label for each image.")
        return BadInput(f"{where}: its files have no records.")
    if any(item.counts for item in left_out):
        cure = "Put the images of each class into a folder with its name"
        if lists:
            cure += f", or name the column of labels of {lists[0]} in data.layout.label"
        return BadInput(f"{where}: has images but no class folders. {cure}.")
    return BadInput(f"{where}: has no images. Put the images of each class into a folder with its name.")
