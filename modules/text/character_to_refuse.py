"""character_to_refuse: finds characters that no file and no record can hold."""

import re

# Zero bytes, and halves of characters that UTF-8 cannot write.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def character_to_refuse(*texts: str) -> str | None:
    """Returns the escape of a character that no name, label or column can have, or None.

    Example:
        >>> character_to_refuse("cat/1.jpg", "a\\x00")
        '\\x00'
    """
    found = next(filter(None, map(_NOT_TEXT.search, texts)), None)
    return found and ascii(found[0])[1:-1]
