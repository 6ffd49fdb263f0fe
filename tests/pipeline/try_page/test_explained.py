"""The map is brightest where the class's activations are largest."""

import base64
import io

import numpy as np
import pytest
from PIL import Image


def _brightness(address: str) -> np.ndarray:
    image = Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))
    return np.asarray(image.convert("L"), float)


LEFT, RIGHT = slice(10, 200), slice(280, 310)


@pytest.mark.parametrize(("class_id", "bright", "dark"), [(0, RIGHT, LEFT), (1, LEFT, RIGHT)])
def test_the_map_is_bright_where_the_class_is(explained, quarter_white, class_id, bright, dark):
    """The test model's first class is where the image is white, in the right fourth."""
    brightness = _brightness(explained.activation_map(quarter_white, class_id)["map"])
    assert brightness.shape == (320, 320)
    # The map has 0.55 of the color, and the gray image 0.45, which is brighter on the right.
    color = brightness - 0.45 * np.where(np.arange(320) >= 240, 255, 0)
    assert color[:, bright].mean() > 80 > 40 > color[:, dark].mean()


def test_a_model_of_an_earlier_version_has_no_maps(explained, quarter_white, monkeypatch):
    monkeypatch.setattr(explained._classifier, "_activations", None)
    assert "earlier version" in explained.activation_map(quarter_white, 0)["error"]
