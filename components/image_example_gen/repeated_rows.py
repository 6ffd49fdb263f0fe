"""RepeatedRows: the images that tables list more than once. They are read once, unless their rows disagree."""

import os

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import is_remote
from efficientmixnet.modules.exceptions import BadInput


class RepeatedRows:
    """Remembers the first row of each image, in one table or in several.

    Args:
        key: The key of the configuration that gives the tables, for messages.
        group: The column of the group; None for none.
    """

    def __init__(self, key: str, group: str | None = None) -> None:
        self.key, self._group = key, group
        self._first: dict[str, tuple[Entry, str]] = {}  # by path, with the table and the line

    def checked(self, entry: Entry, where: str) -> Entry | LeftOut | None:
        """Returns the image of a row, the reason why another row of it is left out, or None for the same row again.

        Args:
            entry: The image.
            where: The table and the line.

        Raises:
            BadInput: An earlier row has another split.
        """
        path = entry.path if is_remote(entry.path) else os.path.abspath(entry.path)
        before, its_place = self._first.setdefault(path, (entry, where))
        if before is entry:
            return entry
        if before.split != entry.split:
            one, other = (f"{item.split or 'no split'} ({at})" for item, at in ((before, its_place), (entry, where)))
            raise BadInput(f"{self.key}: {entry.name} is in {one} and in {other}. Remove one of the two rows.")
        if difference := self._difference(before, entry):
            column, value = difference
            reason = f"is already listed with the {column} {value!r} ({where})"
            return LeftOut(entry.name, reason, counts=column in ("label", self._group))
        return None

    def _difference(self, first: Entry, entry: Entry) -> tuple[str, str] | None:
        """Returns the column and the first value that a second row of an image does not have; None if it has all.

        Of several columns, those that training depends on come first. Others may differ: a table of objects has a row
        for each of them.
        """
        if first.label != entry.label:
            return "label", first.label
        before, now = dict(first.columns), dict(entry.columns)  # rows of JSON may have other keys
        others = [(name, before.get(name, "")) for name in before | now if before.get(name, "") != now.get(name, "")]
        return min(others, key=lambda one: one[0] != self._group, default=None)
