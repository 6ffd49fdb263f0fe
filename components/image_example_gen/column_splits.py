"""with_column_splits: the splits that a column split gives to records, without data.layout.split."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from efficientmixnet.components.image_example_gen.examine import Found
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames

_SHOWN = 40  # characters


def with_column_splits(
    found: Iterable[Found], names: SplitNames, split_of_file: Callable[[str], str | None]
) -> tuple[list[Found], str]:
    """Returns the images with their splits, and a note about the column; no text if there is none.

    The column counts if all its values are names of splits. Test images must not be trained on, so an image that the
    name of its file holds out is no training image.

    Args:
        found: All that is listed. The images have the values of the column.
        names: The names of splits.
        split_of_file: Returns the split that the name of a file gives.
    """
    items = list(found)
    values = {item[0].split for item in items if isinstance(item, tuple) and item[0].split}
    meanings = {value: names.of_value(value) for value in values}
    others = sorted(value for value, meaning in meanings.items() if not meaning)

    def split(value: str | None, file: str) -> str | None:
        of_file = split_of_file(file)
        own = None if others or not value else meanings[value]
        return of_file if of_file and own in (None, TRAIN) else own

    items = [
        (replace(item[0], split=split(item[0].split, item[1].name)), item[1]) if isinstance(item, tuple) else item
        for item in items
    ]
    if others:
        value = repr(others[0][:_SHOWN])
        return items, f"the column split is not used, since {value} names no split; data.split_names can map it"
    named = ", ".join(sorted(filter(None, set(meanings.values()))))
    return items, f"the column split names the splits {named} (data.layout.split changes this)" if named else ""
