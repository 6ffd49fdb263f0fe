"""render: the HTML page of `efficientmixnet inspect`, which needs no other files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from efficientmixnet.components.image_example_gen.findings import by_reason
from efficientmixnet.components.report.html_page import page_environment, policy, style_sheet
from efficientmixnet.pipeline.inspection.inspect_images import Inspection, side_buckets

_MOST = 100  # rows in a table
_SHEETS = 200  # classes with samples, which take about 20 kB each
_UNITS = ("B", "kB", "MB", "GB", "TB")

_FOLDER = Path(__file__).parent


def render_template(name: str, **values: Any) -> str:
    """Returns the page of a template in this folder."""
    style = style_sheet(_FOLDER / "page.css")
    return page_environment(_FOLDER).get_template(name).render(style=style, policy=policy(styles=[style]), **values)


def render(
    data: str,
    found: Inspection,
    notes: Sequence[str],
    statistics: str | None,
    splits: Sequence[str] = (),
    corrections: str | None = None,
) -> str:
    """Returns the page.

    Args:
        data: The dataset's name, for the title.
        found: The counts and samples.
        notes: Warnings about the data.
        statistics: The name of the page of statistics next to this one, if there is one.
        splits: How the splits were found, if the data names them.
        corrections: What the list of corrections changes; None without one.
    """
    totals: Counter[str] = sum(found.counts.values(), Counter())
    return render_template(
        "page.html",
        data=data,
        found=found,
        notes=notes,
        statistics=statistics and quote(statistics),
        splits=splits,
        corrections=corrections,
        duplicates=[
            ("Duplicates", found.duplicates.groups),
            ("Near duplicates in two splits", found.near_duplicates.groups),
        ],
        totals=totals,
        largest=max(totals.values(), default=1),
        size=size_in_words(found.bytes),
        tables=[
            ("Reasons for leaving files out", list(by_reason(found.left_out).items())),
            ("Formats", found.formats.most_common()),
            ("Shorter side, pixels", list(side_buckets(found.sizes))),
        ],
        most=_MOST,
        sheets=_SHEETS,
    )


def size_in_words(size: float) -> str:
    """Returns a number of bytes as text, such as 1.2 GB."""
    for unit in _UNITS:
        if size < 999.5:  # 999.7 would be shown as 1e+03
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{1000 * size:,.0f} {_UNITS[-1]}"
