"""least_accuracy: the accuracy that a model needs to be better than guessing, by more than chance explains."""

from collections.abc import Mapping

_RISK = 0.05  # of a guessing model to reach the accuracy


def guessing_accuracy(train: Mapping[str, int], evaluation: Mapping[str, int]) -> float:
    """Returns the accuracy of a guess: at random, or always the most frequent class, whichever is higher.

    Args:
        train: The number of training images by label, from which the most frequent class is known.
        evaluation: The number of evaluated images by label.
    """
    images = sum(evaluation.values())
    if not train or not images:
        return 0.0
    most_frequent = max(train, key=lambda label: (train[label], evaluation.get(label, 0)))
    return max(1 / len(train), evaluation.get(most_frequent, 0) / images)


def least_accuracy(guessing: float, images: int) -> float | None:
    """Returns the least accuracy that a guess reaches with a probability of at most 5 % (one-sided binomial test).

    None: the images are too few, since a guess classifies even all of them correctly with a higher probability.

    Args:
        guessing: The accuracy of a guess.
        images: The number of evaluated images.
    """
    from scipy.stats import binom  # takes half a second to import

    if guessing**images > _RISK:
        return None
    return (int(binom.isf(_RISK, images, guessing)) + 1) / images
