"""The number of channels of a dataset is that of its first images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from efficientmixnet.components.image_example_gen.channels import find_channels
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules.exceptions import BadInput


def _channels(folder: Path) -> int:
    return find_channels(find_images(str(folder), None, frozenset()), Layout())


def _write(folder: Path, number: int, what: object) -> None:
    for label in ("a", "b"):
        (folder / label).mkdir(exist_ok=True)
        if isinstance(what, str):
            Image.new(what, (8, 8)).save(folder / label / f"{number}.png")
        else:
            np.save(folder / label / f"{number}.npy", what)


@pytest.mark.parametrize(
    ("images", "channels"),
    [
        (["L", "L"], 1),
        (["RGB", "RGBA"], 3),
        (["RGB", "L", "L"], 3),
        ([np.zeros((8, 8, 5), np.uint8)], 5),
        ([np.zeros((8, 8), np.uint8)], 1),
        ([np.zeros((8, 8, 7), np.uint8), np.zeros((8, 8, 7), np.uint8), "RGB"], 7),
        ([np.zeros((8, 8, 2), np.float64), "L"], 1),
    ],
)
def test_most_of_the_images_decide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], images: list, channels: int
) -> None:
    for number, one in enumerate(images):
        _write(tmp_path, number, one)
    assert _channels(tmp_path) == channels
    assert capsys.readouterr().out.startswith(f"data.channels: {channels}, as in ")


def test_data_without_readable_images_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, 0, np.zeros((8, 8, 2), np.float64))
    with pytest.raises(BadInput, match="auto finds no image"):
        _channels(tmp_path)
