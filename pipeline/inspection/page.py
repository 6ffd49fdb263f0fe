"""The page of an inspection: one HTML file that loads nothing, with a sheet of samples of each class."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import jinja2

from efficientmixnet.components.image_example_gen.findings import by_reason
from efficientmixnet.pipeline.inspection.inspect_images import Inspection, side_buckets

_MOST = 100  # rows of a table
_SHEETS = 200  # classes, some 20 kB a sheet
_UNITS = ("B", "kB", "MB", "GB", "TB")

ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
)


def render(data: str, found: Inspection, notes: Sequence[str], statistics: str | None) -> str:
    """The page; `statistics` is the link to their page."""
    totals: Counter[str] = sum(found.counts.values(), Counter())
    return ENVIRONMENT.get_template("page.html").render(
        data=data,
        found=found,
        notes=notes,
        statistics=statistics,
        totals=totals,
        largest=max(totals.values(), default=1),
        size=size_in_words(found.bytes),
        tables=[
            ("Why files were left out", list(by_reason(found.left_out).items())),
            ("Formats", found.formats.most_common()),
            ("Shorter side, pixels", list(side_buckets(found.sizes))),
        ],
        most=_MOST,
        sheets=_SHEETS,
    )


def size_in_words(size: float) -> str:
    """Bytes, in thousands: 1.2 GB."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} {_UNITS[-1]}"
