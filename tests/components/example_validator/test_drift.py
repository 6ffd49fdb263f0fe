"""Drift and skew by hand."""

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


def test_text_moves_by_the_largest_difference_of_a_share() -> None:
    assert drift(NOW, BEFORE, {"image/class/text": 0.29}) == [
        "image/class/text moved by 0.300 since the data before, more than 0.29 (data.drift)"
    ]
    assert drift(NOW, BEFORE, {"image/class/text": 0.31}) == []


def test_numbers_without_a_value_in_common_are_as_far_as_can_be() -> None:
    assert drift(NOW, BEFORE, {"image/height": 0.99}) == [
        "image/height moved by 1.000 since the data before, more than 0.99 (data.drift)"
    ]
    assert drift(BEFORE, BEFORE, {"image/height": 0.0, "image/class/text": 0.0}) == []


def test_training_is_compared_with_the_images_that_were_served(tmp_path: Path) -> None:
    for number in range(4):
        Image.new("L", (64, 64)).save(tmp_path / f"{number}.{'png' if number else 'jpg'}")
    (tmp_path / "broken.png").write_bytes(b"no image")
    served = served_statistics(str(tmp_path))
    assert served.datasets[0].num_examples == 4
    assert skew(BEFORE, served, {"image/format": 0.2, "image/width": 0.1}) == [
        "image/format moved by 0.250 from what is served, more than 0.2 (data.skew)"
    ]


@pytest.mark.parametrize("thresholds", [{}, {"image/format": 1.0}])
def test_nothing_is_said_within_the_thresholds(thresholds: dict[str, float]) -> None:
    assert drift(NOW, BEFORE, thresholds) == []
