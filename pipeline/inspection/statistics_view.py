"""statistics_view: TFDV's statistics as an HTML page. TFDV's own view needs the network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2

from efficientmixnet.modules import features
from efficientmixnet.pipeline.inspection.inspect_images import Inspection
from efficientmixnet.pipeline.inspection.page import render_template

_COLUMNS = (features.LABEL, features.FORMAT, features.COLORSPACE, features.WIDTH, features.HEIGHT)
_VALUES = 12  # the most frequent values that are shown of a text feature


@dataclass(frozen=True)
class _Feature:
    """A feature on the page."""

    name: str
    figures: dict[str, str]
    buckets: list[tuple[str, float]] = field(default_factory=list)  # title, and height from 0 to 1
    values: list[tuple[str, str, float]] = field(default_factory=list)  # value, count, and width from 0 to 1
    more: int = 0


def statistics_view(data: str, found: Inspection) -> str:
    """Returns the page with the statistics of labels, formats and sizes.

    Args:
        data: The dataset's name, for the title.
        found: The counts of the dataset.
    """
    table = pandas.DataFrame(found.described, columns=list(_COLUMNS))
    (dataset,) = tfdv.generate_statistics_from_dataframe(table, n_jobs=1).datasets
    return view_of(data, dataset)


def view_of(data: str, dataset: statistics_pb2.DatasetFeatureStatistics) -> str:
    """Returns the page for TFDV's statistics.

    Args:
        data: The dataset's name, for the title.
        dataset: The statistics.
    """
    numbers = [_of_numbers(one) for one in dataset.features if one.HasField("num_stats")]
    texts = [_of_text(one) for one in dataset.features if one.HasField("string_stats")]
    groups = [("Numeric features", numbers), ("Text features", texts)]
    return render_template("statistics.html", data=data, images=dataset.num_examples, groups=groups)


def _of_numbers(feature: statistics_pb2.FeatureNameStatistics) -> _Feature:
    found = feature.num_stats
    figures = {
        "minimum": _number(found.min),
        "median": _number(found.median),
        "maximum": _number(found.max),
        "mean": _number(found.mean),
        "standard deviation": _number(found.std_dev),
        **_missing(found.common_stats),
    }
    return _Feature(feature.path.step[0], figures, buckets=list(_buckets(found)))


def _buckets(found: statistics_pb2.NumericStatistics) -> Iterator[tuple[str, float]]:
    standard = statistics_pb2.Histogram.STANDARD
    buckets = [bucket for one in found.histograms if one.type == standard for bucket in one.buckets]
    most = max((one.sample_count for one in buckets), default=0) or 1
    for one in buckets if len(buckets) > 1 else ():  # A single value needs no histogram.
        images = f"{one.sample_count:,.0f} images"
        yield f"{_number(one.low_value)} to {_number(one.high_value)}: {images}", one.sample_count / most


def _of_text(feature: statistics_pb2.FeatureNameStatistics) -> _Feature:
    found = feature.string_stats
    top = [(one.value, one.frequency) for one in found.top_values[:_VALUES]]
    most = top[0][1] if top else 1
    return _Feature(
        feature.path.step[0],
        {"values": f"{found.unique:,}", **_missing(found.common_stats)},
        values=[(value, f"{count:,.0f}", count / most) for value, count in top],
        more=found.unique - len(top),
    )


def _missing(common: Any) -> dict[str, str]:
    return {"missing": f"{common.num_missing:,}"} if common.num_missing else {}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"
