"""The limit on images that are left out."""

from collections import Counter

import pytest

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.findings import Duplicates
from efficientmixnet.components.image_example_gen.outcome import Outcome
from efficientmixnet.modules.exceptions import BadInput


def _outcome(*left_out: LeftOut) -> Outcome:
    counts = {"train": Counter(cat=500, dog=300), "eval": Counter(cat=100, dog=100)}
    return Outcome(counts, left_out, Duplicates(()), Duplicates(()))


def test_a_folder_that_cannot_be_listed_counts_as_many_images_as_a_class_has() -> None:
    found = _outcome(LeftOut("cow", "cannot be listed: Permission denied", is_folder=True))
    with pytest.raises(BadInput, match=r"500 of 1500 images \(33\.3%\) .* cow cannot be listed: Permission denied"):
        found.stop_if_too_many_are_left_out("images", 0.3)
    found.stop_if_too_many_are_left_out("images", 0.34)


def test_a_file_counts_as_one_image() -> None:
    found = _outcome(*(LeftOut(f"cat/{number}.png", "has zero bytes") for number in range(10)))
    found.stop_if_too_many_are_left_out("images", 0.01)
    with pytest.raises(BadInput, match=r"10 of 1010 images \(1\.0%\) cannot be used"):
        found.stop_if_too_many_are_left_out("images", 0.009)


def test_the_rest_of_a_damaged_shard_counts_as_its_images() -> None:
    found = _outcome(LeftOut("s3.tar", "is truncated after 0 records", images=400))
    with pytest.raises(BadInput, match=r"400 of 1400 images \(28\.6%\)"):
        found.stop_if_too_many_are_left_out("images", 0.28)


def test_one_readable_class_is_refused() -> None:
    _outcome().stop_if_one_class_is_left("images")
    found = Outcome({"train": Counter(cat=8), "eval": Counter(cat=2)}, (), Duplicates(()), Duplicates(()))
    with pytest.raises(BadInput, match="images: only the class 'cat' has images that can be read"):
        found.stop_if_one_class_is_left("images")
