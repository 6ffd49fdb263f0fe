"""damaged: the error for an image file that ends too early or has wrong data."""

from efficientmixnet.modules.exceptions import BadImage


def damaged(kind: str) -> BadImage:
    """Returns the error.

    Args:
        kind: The format of the file.
    """
    return BadImage(f"is a truncated or corrupt {kind} file")
