"""printable: text from outside that can be printed: it is one line, moves no cursor, and shows no secret."""

import re

from efficientmixnet.modules.text.secrets import mask

# Control characters, separators of lines, marks that reorder text, and halves of characters that UTF-8 cannot write.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, keep: str = "") -> str:
    r"""Returns the text on one line, with escapes for control characters and *** for secrets.

    Args:
        text: The text, such as a label, a path or an error.
        keep: Characters to keep, such as the end of a line.

    Example:
        >>> printable("cat\x1b[2J")
        'cat\\u001b[2J'
    """
    # JSON has the same escapes, so that a line of JSON stays valid.
    return _UNPRINTABLE.sub(
        lambda found: found[0] if found[0] in keep else _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), mask(text)
    )
