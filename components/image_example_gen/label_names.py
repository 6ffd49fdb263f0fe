"""LabelNames: the names of labels that are numbers."""

import unicodedata
from pathlib import Path

from efficientmixnet.components.image_example_gen.labels import label_text
from efficientmixnet.modules.exceptions import BadInput

_MOST_DIGITS = 18  # Python refuses to convert thousands of them


class LabelNames:
    """Turns labels that are numbers into names.

    Args:
        names: The names, from label 0; empty where there are none.
        source: The file with the names, for messages.

    Raises:
        BadInput: A name is there twice, so that two labels would be one class.
    """

    def __init__(self, names: tuple[str, ...] = (), source: str = "") -> None:
        self._names, self._source = names, source
        self._seen: set[int] = set()
        self._has_text = False
        numbers: dict[str, int] = {}
        for number, name in enumerate(unicodedata.normalize("NFC", name.strip()) for name in names):
            if name and numbers.setdefault(name, number) != number:
                raise BadInput(
                    f"data.layout.label_names: {source} has the name {name!r} for the labels {numbers[name]} and "
                    f"{number}, which would be one class. Give a file with one name per line, in which they differ, "
                    "such as by WordNet's ids of ImageNet's classes (n02012849 crane)."
                )

    @classmethod
    def read(cls, file: str | None) -> "LabelNames":
        """Reads the names from a file with one name per line.

        Raises:
            BadInput: The file cannot be read, or has a name twice.
        """
        if file is None:
            return cls()
        if not Path(file).is_file():
            raise BadInput(f"data.layout.label_names: {file} cannot be read (not a file). Give a UTF-8 text file.")
        try:
            names = tuple(Path(file).read_text(encoding="utf-8-sig").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                f"data.layout.label_names: {file} cannot be read ({error}). Give a UTF-8 text file."
            ) from None
        return cls(names, file)

    def or_else(self, names: tuple[str, ...], source: str) -> "LabelNames":
        """Returns these names, or the given ones if there are none.

        Args:
            names: The names.
            source: The file with them.

        Raises:
            BadInput: A name is there twice.
        """
        return self if self._names or not names else LabelNames(names, source)

    def name(self, label: object) -> str:
        """Returns the label's name.

        Text is returned as it is, and so are numbers if there are no names. A number without a name becomes "".

        Raises:
            BadLabel: It is not a single class.
        """
        text = label_text(label)
        digits = text.removesuffix(".0")
        if not self._names:
            return text
        if not digits.isdecimal():
            self._has_text |= bool(text)
            return text
        beyond = len(self._names) + 1
        number = min(int(digits), beyond) if len(digits) <= _MOST_DIGITS else beyond
        self._seen.add(number)
        return label_text(self._names[number]) if number < len(self._names) else ""

    def check(self, must_be_used: bool = False) -> None:
        """Checks that the names fit the labels, after all of them have got theirs.

        Args:
            must_be_used: Whether a label must be a number, if there are any.

        Raises:
            BadInput: The labels start at 1 and end at the number of names, so that each would get the name of the next
                one, or none is a number.
        """
        if must_be_used and self._names and self._has_text and not self._seen:
            raise BadInput("data.layout.label_names: has no effect, since no class folder is a number. Remove it.")
        last = len(self._names)
        if self._names and 0 not in self._seen and max(self._seen, default=0) == last:
            raise BadInput(
                f"data.layout.label_names: the labels start at 1 and end at {last}, but the {last} names of "
                f"{self._source} are those of the labels 0 to {last - 1}. Give a file with one more line, such as "
                "'unused', before the first name."
            )


NO_NAMES = LabelNames()
