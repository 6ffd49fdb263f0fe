"""Decoding, cropping and shrinking, compared with Pillow and with images made by hand."""

import io
import zlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules.data import images


def _file(pixels: np.ndarray, kind: str, **options: Any) -> tf.Tensor:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return tf.constant(file.getvalue())


def _waves(height: int, width: int) -> np.ndarray:
    """An image without hard edges, different in each channel: uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    channels = np.sin(7 * x + 3 * y), np.cos(5 * y), np.sin(4 * x) * np.cos(6 * y)
    return np.round(127.5 + 120 * np.stack(channels, axis=-1)).astype(np.uint8)


def _opened(file: tf.Tensor) -> Image.Image:
    return Image.open(io.BytesIO(file.numpy()))


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_decode_reads_every_lossless_format(kind: str) -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [255, 255, 255], [51, 51, 51]]], np.uint8)
    np.testing.assert_array_equal(images.decode(_file(pixels, kind)), pixels)


def test_decode_works_in_a_graph() -> None:
    pixels = _waves(5, 7)
    batch = tf.stack([_file(pixels, "PNG"), _file(pixels[..., 0], "PNG")])
    dataset = tf.data.Dataset.from_tensor_slices(batch).map(images.decode)
    rgb, gray = (image.numpy() for image in dataset)
    np.testing.assert_array_equal(rgb, pixels)
    np.testing.assert_array_equal(gray, np.repeat(pixels[..., :1], 3, axis=-1))


@pytest.mark.parametrize(
    ("pixel", "rgb"),
    [
        ([7], [7, 7, 7]),
        ([7, 255], [7, 7, 7]),
        ([7, 0], [255, 255, 255]),
        ([0, 51], [204, 204, 204]),  # a fifth of black over white
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 3, 255], [1, 2, 3]),
        ([1, 2, 3, 0], [255, 255, 255]),
        ([255, 0, 100, 102], [255, 153, 193]),  # 0.4 v + 0.6 255
    ],
)
def test_gray_becomes_rgb_and_transparent_becomes_white(pixel: list[int], rgb: list[int]) -> None:
    image = tf.constant([[pixel]], tf.uint8)
    assert images.to_rgb(image).numpy().tolist() == [[rgb]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("shape", [(20, 31), (31, 20), (20, 20)])
def test_an_image_that_is_small_enough_keeps_its_bytes(kind: str, shape: tuple[int, int]) -> None:
    file = _file(_waves(*shape), kind)
    assert images.shrink(file, 20).numpy() == file.numpy()


@pytest.mark.parametrize(
    ("shape", "size"), [((90, 120), (40, 30)), ((120, 90), (30, 40)), ((61, 61), (30, 30)), ((31, 1000), (968, 30))]
)
@pytest.mark.parametrize(("kind", "shrunk"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("BMP", "PNG")])
def test_shrinking_keeps_the_aspect_ratio_and_the_jpeg_format(
    shape: tuple[int, int], size: tuple[int, int], kind: str, shrunk: str
) -> None:
    image = _opened(images.shrink(_file(_waves(*shape), kind), 30))
    assert (image.size, image.format, image.mode) == (size, shrunk, "RGB")


@pytest.mark.parametrize("factor", [2, 2.5, 7])
def test_shrinking_gives_the_pixels_of_pillow(factor: float) -> None:
    height, width = round(24 * factor), round(32 * factor)
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = Image.fromarray(noise).resize((32, 24), Image.Resampling.BILINEAR)
    actual = images.decode(images.shrink(_file(noise, "PNG"), 24)).numpy().astype(int)
    # Pillow calculates in fixed point.
    assert np.abs(actual - np.asarray(expected)).max() <= 2


def test_shrinking_a_jpeg_loses_little_to_its_second_encoding() -> None:
    pixels = _waves(200, 300)
    expected = np.asarray(Image.fromarray(pixels).resize((75, 50), Image.Resampling.BILINEAR)).astype(int)
    shrunk = images.decode(images.shrink(_file(pixels, "JPEG", quality=95), 50)).numpy()
    assert np.abs(shrunk - expected).mean() < 3


@pytest.mark.parametrize(("shape", "size"), [((200, 300), (38, 25)), ((411, 407), (25, 25)), ((3001, 225), (25, 333))])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_large_jpeg_is_shrunk_as_if_it_were_decoded_at_full_size(
    shape: tuple[int, int], size: tuple[int, int], mode: str
) -> None:
    image, file = Image.fromarray(_waves(*shape)).convert(mode), io.BytesIO()
    image.save(file, "JPEG", quality=95)
    resized = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    expected = images.decode(_file(np.asarray(resized), "JPEG", quality=90)).numpy().astype(int)
    shrunk = images.decode(images.shrink(tf.constant(file.getvalue()), 25)).numpy()
    assert shrunk.shape == expected.shape
    assert np.abs(shrunk - expected).mean() < 1.5


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_shrinking_gives_the_same_bytes_without_the_graph_optimizer(kind: str) -> None:
    """Transform runs without it, and a server with it."""
    files = tf.stack([_file(_waves(60 + 7 * number, 83), kind) for number in range(6)])

    def shrunk() -> list[bytes]:
        graph = tf.function(lambda: tf.map_fn(lambda file: images.shrink(file, 37), files), autograph=False)
        return graph().numpy().tolist()

    before = tf.config.optimizer.get_experimental_options()
    with_optimizer = shrunk()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        assert shrunk() == with_optimizer
    finally:
        tf.config.optimizer.set_experimental_options(before)


def test_shrinking_puts_a_transparent_image_on_white() -> None:
    shrunk = _opened(images.shrink(_file(np.zeros((40, 40, 4), np.uint8), "PNG"), 10))
    assert (shrunk.mode, shrunk.getextrema()) == ("RGB", ((255, 255),) * 3)


def test_a_center_crop_of_the_networks_size_is_not_resized() -> None:
    image = _waves(12, 20)
    np.testing.assert_array_equal(images.center_crop(tf.constant(image), 12, 1.0), image[:, 4:16])
    np.testing.assert_array_equal(images.center_crop(tf.constant(image), 6, 0.5), image[3:9, 7:13])


def test_an_odd_margin_is_one_pixel_larger_at_the_end() -> None:
    image = _waves(5, 8)
    np.testing.assert_array_equal(images.center_crop(tf.constant(image), 5, 1.0), image[:, 1:6])


def test_the_fraction_of_the_shorter_side_is_cropped_before_it_is_resized() -> None:
    # A white square in a black frame of an eighth. A fraction of 0.75 contains only white.
    image = np.zeros((64, 80, 3), np.uint8)
    image[8:56, 16:64] = 255
    assert images.center_crop(tf.constant(image), 24, 0.75).numpy().min() == 255
    assert images.center_crop(tf.constant(image), 24, 0.875).numpy().min() == 0


@pytest.mark.parametrize("size", [16, 96])
def test_a_resized_crop_has_the_pixels_of_pillow(size: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 60, 3), dtype=np.uint8)
    expected = Image.fromarray(image[:, 6:54]).resize((size, size), Image.Resampling.BILINEAR)
    actual = images.center_crop(tf.constant(image), size, 1.0).numpy().astype(int)
    assert actual.shape == (size, size, 3)
    assert np.abs(actual - np.asarray(expected)).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("window", [(0, 0, 61, 93), (7, 0, 30, 40), (20, 31, 41, 62), (1, 3, 1, 1)])
def test_a_decoded_window_is_equal_to_that_part_of_the_image(mode: str, kind: str, window: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (61, 93, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(file, kind, quality=85)
    top, left, height, width = window
    whole = images.decode(tf.constant(file.getvalue())).numpy()
    part = images.decode_window(tf.constant(file.getvalue()), lambda _: ([top, left, 0], [height, width, -1]))
    np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


_TO_STORE = {  # how Pillow stores an upright image in each orientation
    **{1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM},
    **{5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
    8: Image.Transpose.ROTATE_270,
}


def _stored(pixels: np.ndarray, kind: str, orientation: int, **options: Any) -> tf.Tensor:
    image, exif, file = Image.fromarray(pixels), Image.Exif(), io.BytesIO()
    exif[0x112] = orientation
    turn = _TO_STORE[orientation]
    (image if turn is None else image.transpose(turn)).save(file, kind, exif=exif.tobytes(), **options)
    return tf.constant(file.getvalue())


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("shorter_side", [24, 100, 500])
def test_all_orientations_become_the_same_upright_image(kind: str, shorter_side: int) -> None:
    pixels = _waves(103, 160)
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    files = [_stored(pixels, kind, number, **options) for number in range(1, 9)]
    first = images.decode_stored(images.shrink(files[0], shorter_side)).numpy().astype(int)
    for file in files:
        np.testing.assert_allclose(images.decode(file), pixels, atol=9 if kind == "JPEG" else 0)
        shrunk = images.decode_stored(images.shrink(file, shorter_side)).numpy()
        # A turned JPEG has other blocks, so its pixels differ a little.
        np.testing.assert_allclose(shrunk, first, atol=9 if kind == "JPEG" else 1)


def test_a_small_turned_jpeg_loses_nothing_when_it_is_shrunk() -> None:
    file = _stored(_waves(20, 30), "JPEG", 6)
    shrunk = images.shrink(file, 64)
    assert _opened(shrunk).format == "PNG"
    np.testing.assert_array_equal(images.decode_stored(shrunk), images.decode(file))


@pytest.mark.parametrize(
    "file",
    [
        _file(_waves(8, 8), "GIF"),
        _file(_waves(8, 8)[..., 0], "BMP"),
        _file(np.dstack([_waves(8, 8), np.zeros((8, 8), np.uint8)]), "BMP"),
        _file(_waves(8, 8), "WEBP"),
        _file(_waves(8, 8), "TIFF"),
        tf.constant(b"text"),
        tf.constant(b""),
    ],
    ids=["GIF", "gray BMP", "32-bit BMP", "WebP", "TIFF", "text", "nothing"],
)
def test_formats_that_ingest_reads_in_another_way_are_refused(file: tf.Tensor) -> None:
    shrink = tf.function(lambda one: images.shrink(one, 4), autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="The image is not a JPEG, PNG or 24-bit BMP file"):
        shrink(file)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_image_of_16_bits_keeps_them(channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (8, 8, channels), dtype=np.uint16)
    levels[..., channels - 1 if channels in (2, 4) else channels :] = 65535  # opaque
    file = tf.io.encode_png(levels)
    expected = levels[..., :3] if channels > 2 else levels[..., [0, 0, 0]]
    pixels = images.decode_stored(images.shrink(file, 8), deep=True)
    assert pixels.dtype == tf.float32
    np.testing.assert_allclose(pixels * 257, expected, atol=0.01)
    # Means of four pixels, as the triangle filter weighs them inside of a constant image.
    flat = tf.io.encode_png(np.full((40, 40, 1), 12345, np.uint16))
    np.testing.assert_allclose(images.decode_stored(images.shrink(flat, 10), deep=True) * 257, 12345, atol=0.01)


def test_images_of_8_bits_have_the_same_levels_among_deep_ones() -> None:
    for kind in ("PNG", "JPEG"):
        file = _file(_waves(9, 12), kind)
        np.testing.assert_allclose(images.decode_stored(file, deep=True), images.decode(file), atol=1e-4)


def test_transparent_pixels_of_16_bits_become_white() -> None:
    half = tf.constant([[[0, 0, 65535, 32768]]], tf.uint16)
    np.testing.assert_array_equal(images.to_rgb(half), [[[32767, 32767, 65535]]])


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("shorter_side", [4, 500])
def test_the_transparent_color_of_a_png_file_becomes_white(mode: str, shorter_side: int) -> None:
    pixels = np.asarray(Image.new(mode, (24, 16), "red"))
    color = tuple(pixels[0, 0].tolist()) if mode == "RGB" else int(pixels[0, 0])
    file = _file(pixels, "PNG", transparency=color)
    assert images.decode(file).numpy().min() == 255
    shrink = tf.function(lambda one: images.shrink(one, shorter_side), autograph=False)
    shrunk = shrink(file)
    assert (images.decode_stored(shrunk).numpy().min(), "transparency" in _opened(shrunk).info) == (255, False)


def test_a_gray_model_sees_the_transparent_color_as_white() -> None:
    file = _file(np.zeros((8, 8), np.uint8), "PNG", transparency=0)
    gray = images.decode_stored(images.shrink(file, 4, channels=1), channels=1)
    assert (gray.shape, gray.numpy().min()) == ((4, 4, 1), 255)


def test_a_transparent_color_of_16_bits_becomes_white_at_its_exact_value() -> None:
    pixels = np.array([[[5000], [5001]]], np.uint16)
    file = tf.io.encode_png(pixels).numpy()
    chunk = b"tRNS" + (5000).to_bytes(2, "big")
    chunk = (2).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    start = file.index(b"IDAT") - 4
    stored = images.shrink(tf.constant(file[:start] + chunk + file[start:]), 8)
    np.testing.assert_allclose(images.decode_stored(stored, deep=True)[0, :, 0] * 257, [65535, 5001], atol=0.01)
