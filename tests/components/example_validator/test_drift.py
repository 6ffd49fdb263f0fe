"""Drift and skew against distances worked out by hand."""

from pathlib import Path

import pandas
import pytest
import tensorflow_data_validation as tfdv
from PIL import Image
from tensorflow_metadata.proto.v0 import statistics_pb2

from efficientmixnet.components.example_validator.drift import drift, served_statistics, skew


def _statistics(cats: int, heights: range) -> statistics_pb2.DatasetFeatureStatisticsList:
    labels = ["cat"] * cats + ["dog"] * (len(heights) - cats)
    table = pandas.DataFrame(
        {"image/class/text": labels, "image/height": heights, "image/width": 64, "image/format": "PNG"}
    )
    return tfdv.generate_statistics_from_dataframe(table, n_jobs=1)


BEFORE, NOW = _statistics(50, range(100)), _statistics(80, range(300, 400))


def test_the_distance_of_text_is_the_largest_difference_of_a_fraction() -> None:
    assert drift(NOW, BEFORE, {"image/class/text": 0.29}) == [
        "image/class/text differs by 0.300 from the previous data, more than 0.29 (data.drift)"
    ]
    assert drift(NOW, BEFORE, {"image/class/text": 0.31}) == []


def test_numbers_without_a_common_value_have_distance_1() -> None:
    assert drift(NOW, BEFORE, {"image/height": 0.99}) == [
        "image/height differs by 1.000 from the previous data, more than 0.99 (data.drift)"
    ]
    assert drift(BEFORE, BEFORE, {"image/height": 0.0, "image/class/text": 0.0}) == []


def test_training_is_compared_with_served_images(tmp_path: Path) -> None:
    for number in range(4):
        Image.new("L", (64, 64)).save(tmp_path / f"{number}.{'png' if number else 'jpg'}")
    (tmp_path / "broken.png").write_bytes(b"no image")
    served = served_statistics(str(tmp_path))
    assert served.datasets[0].num_examples == 4
    assert skew(BEFORE, served, {"image/format": 0.2, "image/width": 0.1}) == [
        "image/format differs by 0.250 from the served images, more than 0.2 (data.skew)"
    ]


@pytest.mark.parametrize("thresholds", [{}, {"image/format": 1.0}])
def test_within_the_thresholds_nothing_is_reported(thresholds: dict[str, float]) -> None:
    assert drift(NOW, BEFORE, thresholds) == []
