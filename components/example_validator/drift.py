"""Drift and skew: how far the images are from those before, and from those that the model is asked about.

TFDV compares the training split's statistics: of text the largest difference of a value's share (the L-infinity
distance), of numbers Jensen and Shannon's divergence; both lie between 0 and 1.
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import pandas
import tensorflow_data_validation as tfdv
from PIL import Image
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from efficientmixnet.components.image_example_gen.files import File, list_files, open_file
from efficientmixnet.modules import features


def drift(
    now: DatasetFeatureStatisticsList, before: DatasetFeatureStatisticsList, thresholds: Mapping[str, float]
) -> list[str]:
    """Each feature that moved further than its threshold since `before`, as half a sentence."""
    schema = _compared(thresholds, "drift_comparator")
    anomalies = tfdv.validate_statistics(now, schema, previous_statistics=before)
    return [f"{line} (data.drift)" for line in _lines(anomalies.drift_skew_info, "since the data before")]


def skew(
    training: DatasetFeatureStatisticsList, served: DatasetFeatureStatisticsList, thresholds: Mapping[str, float]
) -> list[str]:
    """Each feature that is further than its threshold from the images that were served, as half a sentence."""
    schema = _compared(thresholds, "skew_comparator")
    anomalies = tfdv.validate_statistics(training, schema, serving_statistics=served)
    return [f"{line} (data.skew)" for line in _lines(anomalies.drift_skew_info, "from what is served")]


def served_statistics(folder: str) -> DatasetFeatureStatisticsList:
    """Of images as they were served: sizes, formats and color spaces, from their headers.

    Raises:
        BadInput: there is no such folder.
    """
    columns = [features.WIDTH, features.HEIGHT, features.FORMAT, features.COLORSPACE]
    return tfdv.generate_statistics_from_dataframe(pandas.DataFrame(_headers(folder), columns=columns), n_jobs=1)


def _headers(folder: str) -> Iterator[tuple[int, int, str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of huge images
        for found in list_files(folder):
            if isinstance(found, File):
                try:
                    with open_file(found.path) as file, Image.open(file) as image:
                        yield *image.size, str(image.format), image.mode
                except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                    continue  # the model refused it too


def _compared(thresholds: Mapping[str, float], comparator: str) -> schema_pb2.Schema:
    schema = schema_pb2.Schema()
    for name, threshold in thresholds.items():
        is_number = name in features.INT_FEATURES
        feature = schema.feature.add(name=name, type=schema_pb2.INT if is_number else schema_pb2.BYTES)
        distance = "jensen_shannon_divergence" if is_number else "infinity_norm"
        getattr(getattr(feature, comparator), distance).threshold = threshold
    return schema


def _lines(found: Any, what: str) -> list[str]:
    return [
        f"{name} moved by {measure.value:.3f} {what}, more than {measure.threshold:g}"
        for one in found
        for name in one.path.step
        for measure in (*one.drift_measurements, *one.skew_measurements)
        if measure.value > measure.threshold
    ]
