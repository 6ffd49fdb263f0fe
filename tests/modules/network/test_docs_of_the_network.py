"""The examples in docs/network.md run, and its table equals the summary."""

import re
from pathlib import Path

import pytest

from efficientmixnet.modules.network import get_variant, list_variants, summarize

PAGE = (Path(__file__).parents[3] / "docs" / "network.md").read_text()


def test_the_examples_run_in_order(capsys):
    names: dict = {}
    for example in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(example, "docs/network.md", "exec"), names)  # noqa: S102
    assert "expected s and two equal strides" in capsys.readouterr().out


@pytest.mark.parametrize("name", list_variants())
def test_each_row_of_the_table_equals_the_summary(name):
    row = re.search(rf"^\| `{name}` \|(.*)\|$", PAGE, re.MULTILINE)
    size, width, depth, dropout, total, trainable, mixed, millions, _ = (cell.strip() for cell in row[1].split("|"))
    variant, summary = get_variant(name), summarize(name)
    factors = (variant.default_size, variant.width_coefficient, variant.depth_coefficient, variant.dropout_rate)
    assert (int(size), float(width), float(depth), float(dropout)) == factors
    assert (total, trainable) == (f"{summary.parameters:,}", f"{summary.trainable:,}")
    assert millions == f"{summary.multiply_adds / 1e6:,.0f}"
    assert mixed in ("", f"{summarize(name, mixed=True).parameters:,}")
