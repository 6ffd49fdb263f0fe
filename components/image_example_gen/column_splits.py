"""with_column_splits: the splits that a column split gives to records, without data.layout.split.

unused_splits: a note on another column that seems to have splits.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from efficientmixnet.components.image_example_gen.column_text import is_missing
from efficientmixnet.components.image_example_gen.entry import Entry
from efficientmixnet.components.image_example_gen.examine import Found
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames
from efficientmixnet.modules.exceptions import BadInput

_SHOWN = 40  # characters
_MOST_SPLITS = 10  # values of a column
_FLAGS = frozenset({"true", "false", "yes", "no", "0", "1"})


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

    Raises:
        BadInput: The column holds images out, and has other values too. Held-out images would be trained on.
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
        if held_out := sorted(value for value, meaning in meanings.items() if meaning not in (None, TRAIN)):
            raise BadInput(
                f"data.images: the column split names the split {held_out[0]!r}, but {value} names none. Map it in "
                "data.split_names, or name another column in data.layout.split."
            )
        return items, f"the column split is not used, since {value} names no split; data.split_names can map it"
    named = ", ".join(sorted(filter(None, set(meanings.values()))))
    return items, f"the column split names the splits {named} (data.layout.split changes this)" if named else ""


def unused_splits(entries: Iterable[Entry], names: SplitNames) -> str:
    """Returns a note on a column whose values are names of splits, or that is a flag named after a split, or no text.

    Args:
        entries: The images, none of which has a split.
        names: The names of splits.
    """
    values: dict[str, set[str]] = {}
    for entry in entries:
        for column, value in entry.columns:
            found = values.setdefault(column, set())
            if len(found) <= _MOST_SPLITS and not is_missing(value):
                found.add(value)
    for column, found in values.items():
        meanings = set(map(names.of_value, found))
        if TRAIN in meanings and len(meanings) > 1 and None not in meanings:
            return f"the column {column} names splits, but is not used; set data.layout.split to {column} to use it"
        if names.of_name(column) and len(found) > 1 and _FLAGS.issuperset(map(str.casefold, found)):
            return f"the column {column} may name the split, but is not used; add a column split with train and eval"
    return ""
