"""Values of further columns as text."""

import math

import pytest

from efficientmixnet.components.image_example_gen.column_text import column_text, is_missing


@pytest.mark.parametrize("missing", [None, math.nan, "", "  ", b""])
def test_a_missing_value_is_no_text(missing: object) -> None:
    assert column_text(missing) == ""


@pytest.mark.parametrize("value", [7, 7.0, "7", " 7 ", b"7"])
def test_a_whole_number_is_the_same_in_every_type(value: object) -> None:
    assert column_text(value) == "7"


def test_other_values_are_json() -> None:
    assert [column_text(one) for one in (0.5, True, [1, "a"])] == ["0.5", "true", '[1, "a"]']


def test_missing_values_of_tables_are_known() -> None:
    assert all(map(is_missing, ("", "nan", "NaN", "NA", "N/A", "null", "None", "<NA>")))
    assert not any(map(is_missing, ("0", "-", "Nana", "unknown")))
