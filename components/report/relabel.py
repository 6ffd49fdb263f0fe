"""The relabel list: the images whose labels a person should check first, as a list of corrections."""

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from efficientmixnet.modules.files.csv_cells import write_rows
from efficientmixnet.modules.text.secrets import mask

if TYPE_CHECKING:
    from efficientmixnet.components.evaluator.measures import Outcomes
    from efficientmixnet.components.report.predictions import Predictions

RELABEL_FILE = "relabel.csv"
COLUMNS = ("path", "label", "predicted", "probability", "reason")
_MOST = 100  # images for each reason

Row = tuple[str, str, str, float, str]


def rows_to_check(predictions: "Predictions", outcomes: "Outcomes") -> list[Row]:
    """Returns a row for each image of the list, with the values of COLUMNS.

    First come the mistakes with the highest confidence, whose labels may be wrong. Then come the images with the
    lowest confidence, which may show no class or several.
    """
    return list(_rows(predictions, outcomes))


def as_csv(rows: Sequence[Sequence[object]]) -> str:
    """Returns the list as a CSV file. No cell runs in a spreadsheet, and data.corrections reads each cell as it was."""
    file = io.StringIO()
    write_rows(file, [COLUMNS, *([_cell(value) for value in row] for row in rows)])
    return file.getvalue()


def _cell(value: object) -> object:
    """Returns a value without secrets, and without null characters, which Python 3.10 cannot write."""
    return mask(value).replace("\0", "\ufffd") if isinstance(value, str) else value


def _rows(predictions: "Predictions", outcomes: "Outcomes") -> Iterator[Row]:
    rising = np.argsort(outcomes.confidence, kind="stable")
    mistakes = rising[::-1][~outcomes.correct[rising[::-1]]][:_MOST]
    unsure = rising[~np.isin(rising, mistakes)][:_MOST]
    for reason, chosen in (("confident mistake", mistakes), ("low confidence", unsure)):
        for position in chosen.tolist():
            yield (
                str(predictions.names[position]),
                str(predictions.true_labels[position]),
                predictions.labels[outcomes.predicted[position]],
                round(float(outcomes.confidence[position]), 4),
                reason,
            )
