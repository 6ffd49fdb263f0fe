"""short_lines: the lines of a text file, of which none can fill the memory."""

from collections.abc import Iterator
from typing import TextIO

from efficientmixnet.modules.exceptions import BadInput

_LONGEST = 2**20  # characters


def short_lines(file: TextIO, where: str) -> Iterator[str]:
    """Yields the lines of an open file, with their ends.

    Args:
        file: The file.
        where: The name of the file, for the message.

    Raises:
        BadInput: A line has more than a million characters, as in a file of zeros.
    """
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise BadInput(f"{where} has a line of more than {_LONGEST:,} characters")
        yield line
