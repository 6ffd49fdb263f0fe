"""Tests of untrusted_json: what a hostile text can do to a parser of JSON is a short error."""

import pytest

from efficientmixnet.modules.files.untrusted_json import parse_json


def test_values_are_those_of_json() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, {"b": "\\u00fc"}]}') == {"a": [1, 2.5, None, {"b": "ü"}]}


def test_a_hundred_levels_are_read() -> None:
    assert parse_json("[" * 100 + "]" * 100)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ("[" * 101 + "]" * 101, "nested too deep"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deep"),
        ("9" * 5000, "a number has too many digits"),
        ('{"label": "cat", "label": "dog"}', "the name 'label' is given twice"),
        (b'"\xff"', "not UTF-8"),
    ],
)
def test_a_mistake_is_a_short_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_json(text)
    assert type(caught.value) is ValueError
    assert len(str(caught.value)) < 100
