"""Cells of CSV files: text that a spreadsheet would run is escaped, and is read back as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficientmixnet.modules.files.csv_cells import from_cell, to_cell, write_rows

FORMULAS = [
    *(
        "=cmd()",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\uff1d1",
        "\uff0bx",
        "\uff0dx",
    ),
    *("\uff20x", "-", "--", "+x.png", "'=already", "-1,=cmd()"),
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_a_quotation_mark(text: str) -> None:
    assert to_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["cat/1.png", "", "'", "'s", "5", "-5", "+1.5e-3", "-.5", -5, -0.25, None, 1e-9])
def test_numbers_and_other_texts_stay_as_they_are(value: object) -> None:
    assert to_cell(value) == value


@given(st.text("'=+-@\t\r\n a1\uff1d", max_size=6))
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    assert from_cell(str(to_cell(text))) == text


def test_texts_are_quoted_and_numbers_are_not() -> None:
    """In some countries the semicolon separates cells, so that =cmd() would start one."""
    file = io.StringIO(newline="")
    write_rows(file, [("file", "count"), ("a;=cmd()", -1), ('"=1', 0.5)])
    assert file.getvalue() == '"file","count"\r\n"a;=cmd()",-1\r\n"""=1",0.5\r\n'
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [["file", "count"], ["a;=cmd()", "-1"], ['"=1', "0.5"]]
