"""to_number: the number that a Kubernetes quantity stands for."""

_SUFFIXES = {
    **{suffix: 1000**power for power, suffix in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
    "m": 1e-3,
    "n": 1e-9,
    "u": 1e-6,
}


def to_number(quantity: str) -> float:
    """Converts a Kubernetes quantity into a number.

    Example:
        >>> to_number("500m"), to_number("2Ki")
        (0.5, 2048.0)
    """
    digits = quantity.rstrip("numkKMGTPEi")
    return float(digits) * _SUFFIXES[quantity.removeprefix(digits)]
