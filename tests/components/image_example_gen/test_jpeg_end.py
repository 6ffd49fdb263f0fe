"""A JPEG file without its last marker is left out, since TensorFlow does not read it."""

import io
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.exceptions import BadImage

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8))
THUMBNAIL = b"\xff\xd8\xff\xda\x00\x02data\xff\xd9"
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "full colors": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 2},
    "thumbnail": {"exif": b"Exif\0\0" + THUMBNAIL},
    "comment": {"comment": b"\xff\xd9"},
}


def _jpeg(kind: str) -> bytes:
    file = io.BytesIO()
    NOISE.save(file, "JPEG", **KINDS[kind])
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [b"", bytes(100), b"hello " * 20])
def test_a_file_without_its_end_is_left_out(kind: str, after: bytes) -> None:
    file = _jpeg(kind)[:-2] + after
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_jpeg(file)
    with pytest.raises(BadImage, match=r"^is a truncated or corrupt JPEG file$"):
        open_image(file)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [b"", b"\xff\xff", b"\xff\xe5\x00\x04\xff\xda", b"\xff\xe5\x00\x02abc"])
@pytest.mark.parametrize("after", [b"", b"\xff\xda motion", b"\xff\xd8\xff", b"\xff" * 9])
def test_what_is_before_and_after_the_image_has_no_effect(kind: str, before: bytes, after: bytes) -> None:
    file = _jpeg(kind)
    file = file[:2] + before + file[2:] + after
    assert tf.io.decode_jpeg(file).shape == (40, 56, 3)
    open_image(file).check()


@pytest.mark.parametrize(
    "file", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", b"\xff\xd8" + b"\xff" * 99, b"\xff\xd8\xff\xe1\0\0\0"]
)
def test_a_file_without_an_image_is_left_out(file: bytes) -> None:
    with pytest.raises(BadImage, match="JPEG"):
        open_image(file)
