"""Drift and skew: how far the training data is from earlier data, and from the images that a served model gets.

TFDV compares the statistics of the training split. For text it takes the largest difference of a value's fraction (the
L-infinity distance), for numbers the Jensen-Shannon divergence. Both are between 0 and 1.
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import pandas
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.files import File, list_files, open_file
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadImage


def drift(
    now: DatasetFeatureStatisticsList, before: DatasetFeatureStatisticsList, thresholds: Mapping[str, float]
) -> list[str]:
    """Compares the training split with the previous data.

    Args:
        now: The statistics of the training split.
        before: The statistics of the previous training split.
        thresholds: By feature, the largest distance.

    Returns:
        A message for each feature whose distance is above its threshold.
    """
    schema = _compared(thresholds, "drift_comparator")
    anomalies = tfdv.validate_statistics(now, schema, previous_statistics=before)
    return [f"{line} (data.drift)" for line in _lines(anomalies.drift_skew_info, "from the previous data")]


def skew(
    training: DatasetFeatureStatisticsList, served: DatasetFeatureStatisticsList, thresholds: Mapping[str, float]
) -> list[str]:
    """Compares the training split with served images.

    Args:
        training: The statistics of the training split.
        served: The statistics of the served images.
        thresholds: By feature, the largest distance.

    Returns:
        A message for each feature whose distance is above its threshold.
    """
    schema = _compared(thresholds, "skew_comparator")
    anomalies = tfdv.validate_statistics(training, schema, serving_statistics=served)
    return [f"{line} (data.skew)" for line in _lines(anomalies.drift_skew_info, "from the served images")]


def served_statistics(folder: str) -> DatasetFeatureStatisticsList:
    """Returns the statistics of the sizes, formats and color spaces of served images.

    Args:
        folder: The folder of the images. Their pixels are not decoded.

    Raises:
        BadInput: The folder does not exist.
    """
    columns = [features.WIDTH, features.HEIGHT, features.FORMAT, features.COLORSPACE]
    return tfdv.generate_statistics_from_dataframe(pandas.DataFrame(_headers(folder), columns=columns), n_jobs=1)


def _headers(folder: str) -> Iterator[tuple[int, int, str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd metadata
        for found in list_files(folder):
            if isinstance(found, File) and found.size <= MAX_IMAGE_BYTES:
                try:
                    with open_file(found.path) as file:
                        image = open_image(file.read(), channels=None)
                    yield *image.size, image.format, image.mode
                except (OSError, BadImage):
                    continue  # the served model refused it too


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
        f"{name} differs by {measure.value:.3f} {what}, more than {measure.threshold:g}"
        for one in found
        for name in one.path.step
        for measure in (*one.drift_measurements, *one.skew_measurements)
        if measure.value > measure.threshold
    ]
