"""BadInput: what a user gave cannot be used, and the message says what, where and how to mend it."""

from collections.abc import Sequence


class BadInput(ValueError):
    """Ends a run with its message alone, without a traceback.

    `left_out` holds the rows (name, reason) of the images that were left out until then, for the run's folder.
    """

    def __init__(self, message: str, left_out: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.left_out = tuple(left_out)
