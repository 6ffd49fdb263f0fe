"""TFDV's own view of the statistics, as a page; it loads its parts from the network when it is opened."""

import pandas
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.utils.display_util import get_statistics_html

from efficientmixnet.components.inspection.inspect_pictures import Inspection
from efficientmixnet.modules import features

_COLUMNS = (features.LABEL, features.FORMAT, features.COLORSPACE, features.WIDTH, features.HEIGHT)


def statistics_view(found: Inspection) -> str:
    """The page for labels, formats and sizes."""
    table = pandas.DataFrame(found.described, columns=list(_COLUMNS))
    body = get_statistics_html(tfdv.generate_statistics_from_dataframe(table, n_jobs=1))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Statistics</title></head>{body}</html>\n'
    )
