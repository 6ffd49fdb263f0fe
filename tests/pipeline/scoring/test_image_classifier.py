"""The reasons why an image cannot be predicted name no keys of a configuration, which predict and score do not have."""

import io
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from efficientmixnet.pipeline.scoring.image_classifier import read_image


def _npy(shape: tuple[int, ...]) -> bytes:
    """Returns an array without its values."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"P6\n20000 10000\n255\n", "has 20000 x 10000 pixels, over the limit of 100,000,000; make it smaller"),
        (
            _npy((20000, 10000, 3)),
            "has 600,000,000 bytes when unpacked, over the limit of 500,000,000; make it smaller",
        ),
        (_npy((4, 4, 5)), "has 5 channels, not 3"),
        (b"P6\n20000 5000\n255\n", "is a truncated or corrupt PPM file"),
    ],
)
def test_a_reason_has_a_cure_without_a_configuration(image: bytes, reason: str) -> None:
    assert read_image(image) == reason


def test_other_images_are_returned() -> None:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    assert read_image(file.getvalue()) == file.getvalue()


@pytest.mark.parametrize(("stored", "written"), [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("where", ["folder", "store"])
def test_a_path_may_have_another_form_of_unicode(
    tmp_path: Path, shelf: dict[str, bytes], stored: str, written: str, where: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    name = unicodedata.normalize(stored, "forêt/é.png")
    if where == "store":
        shelf[f"shelf://web/{name}"] = file.getvalue()
    else:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(file.getvalue())
    folder = "shelf://web" if where == "store" else tmp_path
    assert read_image(f"{folder}/{unicodedata.normalize(written, name)}") == file.getvalue()
    assert str(read_image(f"{folder}/été.png")).startswith("cannot be read: ")
