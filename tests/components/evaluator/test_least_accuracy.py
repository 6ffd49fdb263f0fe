"""The least accuracy that is better than guessing, against sums of binomial probabilities."""

from math import comb

import pytest

from efficientmixnet.components.evaluator.least_accuracy import guessing_accuracy, least_accuracy


def _reached(correct: int, images: int, guessing: float) -> float:
    """Returns the probability that a guess gets this many images or more right."""
    terms = (comb(images, k) * guessing**k * (1 - guessing) ** (images - k) for k in range(correct, images + 1))
    return sum(terms)


@pytest.mark.parametrize(("guessing", "images"), [(1 / 3, 19), (0.5, 20), (0.9, 100), (0.1, 1000)])
def test_a_guess_reaches_it_in_at_most_5_of_100_cases(guessing, images):
    correct = round(least_accuracy(guessing, images) * images)
    assert _reached(correct, images, guessing) <= 0.05 < _reached(correct - 1, images, guessing)


def test_three_classes_do_not_pass_below_chance():
    assert least_accuracy(guessing_accuracy({"a": 9, "b": 8, "c": 8}, {"a": 4, "b": 8, "c": 7}), 19) == 11 / 19


@pytest.mark.parametrize(
    ("guessing", "images", "least"),
    [
        (0.5, 3, None),  # all are guessed with a probability of .5^3 = .125
        (0.5, 5, 1.0),  # .5^5 = .031
        (0.99, 50, None),  # .99^50 = .61
        (1.0, 1000, None),  # all are of the most frequent class
        (0.5, 0, None),
    ],
)
def test_images_that_a_guess_may_all_get_right_are_too_few(guessing, images, least):
    assert least_accuracy(guessing, images) == least


@pytest.mark.parametrize(
    ("train", "evaluation", "expected"),
    [
        ({"a": 5, "b": 5}, {"a": 3, "b": 1}, 0.75),  # of two equally frequent classes, the one with more images
        ({"a": 9, "b": 1}, {"a": 1, "b": 3}, 0.5),  # at random is better than always a
        ({"a": 9, "b": 1, "c": 1}, {"b": 2}, 1 / 3),
        ({}, {}, 0.0),
    ],
)
def test_the_better_of_two_ways_to_guess_counts(train, evaluation, expected):
    assert guessing_accuracy(train, evaluation) == pytest.approx(expected)
