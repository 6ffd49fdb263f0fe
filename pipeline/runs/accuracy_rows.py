"""accuracy_rows: the accuracies of a model, as a run prints them."""

from collections.abc import Iterator, Sequence


def accuracy_rows(
    accuracy: float | None,
    interval: Sequence[float] | None,
    test_accuracy: float | None,
    test_interval: Sequence[float] | None,
) -> Iterator[tuple[str, str]]:
    """Yields the name and the text of each accuracy, that on the test split first.

    Args:
        accuracy: The accuracy on the evaluation split.
        interval: The low and high end of its 95 % confidence interval, if there is one.
        test_accuracy: The accuracy on the test split, if there is one.
        test_interval: The low and high end of its confidence interval.
    """
    if test_accuracy is not None:
        yield "test accuracy", f"{_with_interval(test_accuracy, test_interval)} on the held-out test split"
    if accuracy is None:
        yield "accuracy", "unknown"
    else:
        yield "accuracy", f"{_with_interval(accuracy, interval)} on the evaluation split"


def _with_interval(accuracy: float, bounds: Sequence[float] | None) -> str:
    return f"{accuracy:.4f}" + (f" ({bounds[0]:.4f} to {bounds[1]:.4f})" if bounds else "")
