"""Tests of character_to_refuse: zero bytes, and halves of characters."""

import os

import pytest

from efficientmixnet.modules.text.character_to_refuse import character_to_refuse


@pytest.mark.parametrize(
    ("texts", "escape"),
    [
        (("a", "b\x00c"), "\\x00"),
        ((os.fsdecode(b"a\xff"),), "\\udcff"),
        (("\ud83d",), "\\ud83d"),  # half of an emoji
        (("\U0001f600 große 猫\n",), None),
        ((), None),
    ],
)
def test_the_first_character_that_is_not_text_is_named(texts: tuple[str, ...], escape: str | None) -> None:
    assert character_to_refuse(*texts) == escape
