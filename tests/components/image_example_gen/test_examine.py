"""Which listed images are used."""

import pytest

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.examine import examine
from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.split_names import SplitNames
from efficientmixnet.modules.exceptions import BadInput

NAMES = SplitNames({"train", "eval"})
FILE = File("a.tar", "a.tar", 4096, "1")


def test_an_image_of_negative_size_is_left_out() -> None:
    whole, odd = (Entry("a.tar", f"a.tar/{size}", "cat", offset=512, size=size) for size in (10, -1))
    entries, left_out, *_ = examine([(whole, FILE), (odd, FILE)], NAMES, 100)
    assert [entry.name for entry in entries] == ["a.tar/10"]
    assert left_out == (LeftOut("a.tar/-1", "has a negative size"),)


def test_the_fingerprint_covers_the_number_of_images_that_are_left_out() -> None:
    def fingerprint(*left_out: LeftOut) -> str:
        return examine([(Entry("a.tar", "a.tar/0", "cat"), FILE), *left_out], NAMES, 10_000)[2]

    found = {
        fingerprint(LeftOut("b.tar/x", reason, counts, images=images))
        for reason, counts, images in (("one", True, 1), ("another", True, 1), ("one", True, 2), ("one", False, 1))
    }
    assert len(found) == 3
    assert fingerprint(LeftOut("notes", "is text", counts=False)) == fingerprint()


@pytest.mark.parametrize(("split", "shown"), [("val", "train and in eval"), (None, "train and in no split")])
def test_two_images_of_one_name_in_two_splits_are_refused(split: str | None, shown: str) -> None:
    def listed(signature: int, split: str | None) -> tuple[Entry, File]:
        url = f"s3://a/b.png?sig={signature}"
        return Entry(url, url, "cat", split), File(url, url, 1, "1")

    with pytest.raises(BadInput, match=rf"^data\.images: s3://a/b\.png\?sig=\*\*\* is in {shown}\. Remove one of"):
        examine([listed(1, "train"), listed(2, split)], NAMES, 10_000)
    entries, left_out, *_ = examine([listed(1, "train"), listed(2, "Training")], NAMES, 10_000)
    assert (len(entries), len(left_out)) == (1, 1)
