"""Arrays of any number of channels: what NumPy writes is decoded, and what is encoded NumPy reads."""

import io

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.arrays import encode_array, is_array, with_values

BANDS = 5


def _array(kind: str, shape: tuple[int, ...] = (6, 9, BANDS)) -> np.ndarray:
    return (np.random.default_rng(0).random(shape) * 250).astype(kind)


def _npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(6, 9, BANDS), (1, 1, 1), (3, 200, 12)])
def test_an_encoded_array_is_the_file_that_numpy_writes(kind: str, shape: tuple[int, ...]) -> None:
    values = _array(kind, shape)
    encoded = encode_array(tf.constant(values)).numpy()
    assert encoded == _npy(values)
    assert bool(is_array(encoded))


@pytest.mark.parametrize(("kind", "scale"), [("uint8", 1), ("uint16", 1 / 257), ("float32", 255)])
def test_pixels_of_deep_images_have_the_range_of_their_type(kind: str, scale: float) -> None:
    values = _array(kind)
    pixels = images.decode_stored(tf.constant(_npy(values)), deep=True, channels=BANDS)
    assert pixels.dtype == tf.float32
    np.testing.assert_allclose(pixels, values * scale, rtol=1e-6)


@pytest.mark.parametrize(("value", "level"), [(np.uint16(257 * 40), 40), (np.float32(0.5), 128), (np.float32(-3), 0)])
def test_pixels_become_bytes_if_training_saw_bytes(value: np.generic, level: int) -> None:
    file = tf.constant(_npy(np.full((2, 2, BANDS), value)))
    assert np.unique(images.decode_stored(file, channels=BANDS)).tolist() == [level]


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_a_large_array_shrinks_and_keeps_its_type(kind: str) -> None:
    values = _array(kind, (40, 60, BANDS))
    shrunk = np.load(io.BytesIO(images.shrink(tf.constant(_npy(values)), 20, BANDS).numpy()))
    assert (shrunk.shape, shrunk.dtype) == ((20, 30, BANDS), kind)
    expected = tf.image.resize(values, (20, 30), antialias=True).numpy()
    np.testing.assert_allclose(shrunk, expected, atol=0.51 if kind != "float32" else 1e-3)


def test_a_small_array_keeps_its_bytes() -> None:
    file = _npy(_array("uint16"))
    assert images.shrink(tf.constant(file), 20, BANDS).numpy() == file


def test_a_part_of_an_array_can_be_decoded() -> None:
    values = _array("uint8")
    part = images.decode_window(tf.constant(_npy(values)), lambda _: ([1, 2, 0], [3, 4, -1]), channels=BANDS)
    np.testing.assert_array_equal(part, values[1:4, 2:6])


def test_three_channels_can_be_an_array_or_a_photograph() -> None:
    values = _array("uint8", (6, 9, 3))
    for file in (tf.constant(_npy(values)), tf.io.encode_png(values)):
        np.testing.assert_array_equal(images.decode_stored(file), values)


@pytest.mark.parametrize("bits", ["uint8", "uint16"])
def test_gray_images_keep_one_channel(bits: str) -> None:
    values = _array(bits, (30, 50, 1))
    file = images.shrink(tf.io.encode_png(values), 20, 1)
    assert images.decode_stored(file, bits == "uint16", 1).shape == (20, 33, 1)
    kept = images.decode_stored(tf.io.encode_png(values), bits == "uint16", 1)
    np.testing.assert_allclose(kept, values / (257 if bits == "uint16" else 1), rtol=1e-6)


def test_gray_jpeg_images_keep_one_channel() -> None:
    file = tf.io.encode_jpeg(np.full((40, 60, 1), 99, np.uint8), quality=100)
    shrunk = images.shrink(file, 20, 1)
    assert images.decode_stored(shrunk, channels=1).shape == (20, 30, 1)
    part = images.decode_window(file, lambda _: ([0, 0, 0], [10, 12, -1]), channels=1)
    assert part.shape == (10, 12, 1)
    assert np.unique(part).tolist() == [99]


def test_transparent_gray_pixels_become_white() -> None:
    file = tf.io.encode_png(np.array([[[10, 0], [10, 255]]], np.uint8))
    np.testing.assert_array_equal(images.decode_stored(file, channels=1), [[[255], [10]]])


@pytest.mark.parametrize("encode", [tf.io.encode_png, tf.io.encode_jpeg])
def test_a_model_of_one_channel_refuses_colors(encode: object) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="has colors"):
        images.decode_stored(images.shrink(encode(_array("uint8", (30, 30, 3))), 10, 1), channels=1)


def test_a_model_of_five_channels_refuses_photographs() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"takes .npy files of 5 channels"):
        images.shrink(tf.io.encode_png(_array("uint8", (30, 30, 3))), 10, BANDS)


def test_values_that_are_not_finite_are_refused() -> None:
    values = _array("float32")
    values[0, 0, 0] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        images.shrink(tf.constant(_npy(values)), 3, BANDS)


FILE = _npy(_array("float32"))


@pytest.mark.parametrize(
    "file",
    [
        FILE[:-1],
        FILE + b"x",
        FILE[:9],
        FILE[:60],
        FILE.replace(b"\x01\x00", b"\x02\x00", 1),
        FILE.replace(b"'<f4'", b"'>f4'"),
        FILE.replace(b"'<f4'", b"'<f8'"),
        FILE.replace(b"'<f4'", b"'|O' "),
        FILE.replace(b"False", b"True "),
        FILE.replace(b"(6, 9, 5)", b"(5, 9, 6)"),
        FILE.replace(b"(6, 9, 5)", b"(0, 9, 5)"),
        FILE.replace(b"(6, 9, 5)", b"(7, 9, 5)"),
        _npy(np.zeros((6, 45), np.float32)),
        _npy(np.asfortranarray(_array("uint8"))),
        _npy(_array("uint16").astype(">u2")),
    ],
)
def test_other_files_are_refused(file: bytes) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        with_values(tf.constant(file), BANDS, lambda values: tf.shape(values))
