"""Every supported image file becomes a tf.Example with the right pixels; other files are left out with a reason."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.components.image_example_gen.image import read
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut
from efficientmixnet.modules import features
from efficientmixnet.modules.data import images

LIMIT = 100_000_000
HEIGHT, WIDTH = 24, 40


def _smooth() -> Image.Image:
    """Returns an image that is neither square nor symmetric, without edges that JPEG would blur."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = 40 + 4 * x, 30 + 8 * y, 200 - 2 * x - 3 * y
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def _with_alpha() -> Image.Image:
    image = _smooth().convert("RGBA")
    image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))))
    return image


def _palette_with_transparency() -> Image.Image:
    image = _smooth().quantize(16)
    image.info["transparency"] = 3
    return image


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _over_white(image: Image.Image) -> np.ndarray:
    """Converts with Pillow: uint8 [height, width, 3]."""
    image = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def _decoded(file: bytes) -> np.ndarray:
    return images.decode(tf.constant(canonical(file, LIMIT)[0])).numpy()


LOSSLESS = {
    "PNG gray": _file(_smooth().convert("L"), "PNG"),
    "PNG RGB": _file(_smooth(), "PNG"),
    "PNG RGBA": _file(_with_alpha(), "PNG"),
    "PNG gray and alpha": _file(_with_alpha().convert("LA"), "PNG"),
    "PNG palette": _file(_smooth().quantize(64), "PNG"),
    "PNG palette of 16": _file(_smooth().quantize(16), "PNG", bits=4),
    "PNG palette, one color transparent": _file(_palette_with_transparency(), "PNG", transparency=3),
    "PNG RGB, one color transparent": _file(_smooth(), "PNG", transparency=_smooth().getpixel((20, 10))),
    "PNG gray, one color transparent": _file(_smooth().convert("L"), "PNG", transparency=100),
    "PNG 1 bit, one color transparent": _file(_smooth().convert("1"), "PNG", transparency=0),
    "PNG 1 bit": _file(_smooth().convert("1"), "PNG"),
    "PNG interlaced": _file(_smooth(), "PNG", interlace=1),
    "GIF": _file(_smooth().quantize(64), "GIF"),
    "GIF, one color transparent": _file(_palette_with_transparency(), "GIF", transparency=3),
    "BMP RGB": _file(_smooth(), "BMP"),
    "BMP gray": _file(_smooth().convert("L"), "BMP"),
    "BMP palette": _file(_smooth().quantize(64), "BMP"),
    "BMP 1 bit": _file(_smooth().convert("1"), "BMP"),
    "WEBP RGB": _file(_smooth(), "WEBP", lossless=True),
    "WEBP RGBA": _file(_with_alpha(), "WEBP", lossless=True),
    "WEBP lossy": _file(_smooth(), "WEBP", quality=50),
    "TIFF gray": _file(_smooth().convert("L"), "TIFF"),
    "TIFF RGB": _file(_smooth(), "TIFF"),
    "TIFF RGBA": _file(_with_alpha(), "TIFF"),
    "TIFF palette": _file(_smooth().quantize(64), "TIFF"),
    "TIFF CMYK": _file(_smooth().convert("CMYK"), "TIFF"),
    "TIFF compressed": _file(_smooth(), "TIFF", compression="tiff_lzw"),
    "JPEG 2000": _file(_smooth(), "JPEG2000"),
    "PPM": _file(_smooth(), "PPM"),
    "PGM": _file(_smooth().convert("L"), "PPM"),
    "PBM": _file(_smooth().convert("1"), "PPM"),
    "PCX": _file(_smooth(), "PCX"),
    "SGI": _file(_smooth(), "SGI"),
}
JPEGS = {
    "RGB": _file(_smooth(), "JPEG", quality=90),
    "gray": _file(_smooth().convert("L"), "JPEG", quality=90),
    "CMYK": _file(_smooth().convert("CMYK"), "JPEG", quality=90),
    "progressive": _file(_smooth(), "JPEG", quality=90, progressive=True),
    "whole color": _file(_smooth(), "JPEG", quality=90, subsampling=0),
}


@pytest.mark.parametrize("file", LOSSLESS.values(), ids=LOSSLESS.keys())
def test_pixels_equal_pillows_over_white(file: bytes) -> None:
    expected = _over_white(Image.open(io.BytesIO(file))).astype(int)
    actual = _decoded(file)
    assert actual.shape == (HEIGHT, WIDTH, 3)
    # We and Pillow round once each when blending.
    assert np.abs(actual - expected).max() <= 1


@pytest.mark.parametrize("file", JPEGS.values(), ids=JPEGS.keys())
def test_the_pixels_of_a_jpeg_equal_pillows_except_for_rounding(file: bytes) -> None:
    expected = _over_white(Image.open(io.BytesIO(file))).astype(int)
    difference = np.abs(_decoded(file) - expected)
    assert difference.mean() < 1.5
    assert difference.max() <= 8


@pytest.mark.parametrize("file", [JPEGS["RGB"], JPEGS["CMYK"], LOSSLESS["PNG RGBA"]], ids=["JPEG", "CMYK", "PNG"])
def test_a_jpeg_and_a_png_keep_their_bytes(file: bytes) -> None:
    assert canonical(file, LIMIT)[0] == file


def test_a_16_bit_png_keeps_its_upper_byte() -> None:
    gray = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 68
    expected = np.repeat((gray / 257).round().astype(int)[..., None], 3, axis=-1)
    assert np.abs(_decoded(_file(Image.fromarray(gray), "PNG")) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_an_animation_the_first_frame_is_read(kind: str) -> None:
    first, *others = (Image.new("RGB", (WIDTH, HEIGHT), color) for color in ("red", "lime", "blue"))
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = _decoded(_file(first, kind, save_all=True, append_images=others, **options))
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]


def _entry(folder: Path, name: str, content: bytes) -> Entry:
    path = folder / name
    path.write_bytes(content)
    return Entry(str(path), f"größe/{name}", "größe")


def _example(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    example = read(_entry(folder, name, content), LIMIT)
    assert isinstance(example, tf.train.Example), example
    values = {}
    for feature, value in example.features.feature.items():
        values[feature] = list(getattr(value, value.WhichOneof("kind")).value)
    return values


def test_an_example_has_name_label_format_and_size(tmp_path: Path) -> None:
    example = _example(tmp_path, "b.gif", LOSSLESS["GIF"])
    encoded = example.pop(features.ENCODED)[0]
    assert encoded.startswith(b"\x89PNG")
    del example[features.CHANNEL_MEAN], example[features.CHANNEL_MEAN_SQUARE]
    assert example == {
        "image/size": [b"16 to 31"],
        "image/class/text": ["größe".encode()],
        "image/filename": ["größe/b.gif".encode()],
        "image/format": [b"GIF"],
        "image/colorspace": [b"P"],
        "image/height": [24],
        "image/width": [40],
        "image/depth": [8],
    }


@pytest.mark.parametrize(("kind", "tolerance"), [("PNG", 1e-6), ("BMP", 1e-6), ("JPEG", 0.01)])
def test_the_channels_mean_and_mean_square_of_an_image_of_two_colors(
    tmp_path: Path, kind: str, tolerance: float
) -> None:
    image = Image.new("RGB", (32, 16), (255, 0, 51))
    image.paste((0, 0, 102), (0, 0, 16, 16))
    example = _example(tmp_path, "two", _file(image, kind, **({"subsampling": 0} if kind == "JPEG" else {})))
    # Red is 1 in one half, green is 0, and blue is .4 and .2.
    np.testing.assert_allclose(example[features.CHANNEL_MEAN], [0.5, 0, 0.3], atol=tolerance)
    np.testing.assert_allclose(example[features.CHANNEL_MEAN_SQUARE], [0.5, 0, 0.1], atol=tolerance)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_statistics_of_a_large_image_are_close_with_a_part_of_its_pixels(tmp_path: Path, kind: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 1500).astype(np.uint8), (1030, 1))
    example = _example(tmp_path, "large", _file(Image.fromarray(ramp), kind))
    assert (example[features.HEIGHT], example[features.WIDTH]) == ([1030], [1500])
    np.testing.assert_allclose(example[features.CHANNEL_MEAN], [1 / 2] * 3, atol=0.005)
    np.testing.assert_allclose(example[features.CHANNEL_MEAN_SQUARE], [1 / 3] * 3, atol=0.005)


def test_the_statistics_of_an_image_with_a_transparent_color_count_it_as_white(tmp_path: Path) -> None:
    image = Image.new("RGB", (32, 16), (255, 0, 51))
    image.paste((0, 0, 102), (0, 0, 16, 16))
    example = _example(tmp_path, "two", _file(image, "PNG", transparency=(0, 0, 102)))
    np.testing.assert_allclose(example[features.CHANNEL_MEAN], [1, 0.5, 0.6], atol=1e-6)


def _noise(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    return _file(image.quantize(256) if kind == "GIF" else image, kind)


def _flipped_in_its_data(png: bytes) -> bytes:
    damaged = bytearray(png)
    damaged[png.index(b"IDAT") + 2000] ^= 0x10
    return bytes(damaged)


def _png_of_size(width: int, height: int) -> bytes:
    """Returns a PNG that claims a size and has almost no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", "has zero bytes"),
        ("empty", b"", "has zero bytes"),
        ("cut.jpg", _noise("JPEG")[:2000], "is a truncated or corrupt JPEG file"),
        ("cut.png", _noise("PNG")[:5000], "is a truncated or corrupt PNG file"),
        ("flipped.png", _flipped_in_its_data(_noise("PNG")), "is a truncated or corrupt PNG file"),
        ("hollow.png", _png_of_size(64, 64), "is a truncated or corrupt PNG file"),
        ("text.jpg", b"no image", "is not an image in a supported format"),
        ("empty.heic", b"", "has zero bytes"),
        ("unknown.dng", b"II\0\x01", "is not an image in a supported format"),
        ("unknown", b"II\0\x01", "is not an image in a supported format"),
        ("drawing.svg", b"<svg/>", "is not an image in a supported format"),
        (
            "huge.png",
            _png_of_size(20_000, 20_000),
            "has 20000 x 20000 pixels, over the limit (data.max_pixels: 100000000)",
        ),
    ],
)
def test_unusable_files_are_left_out_with_a_reason_and_count(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    assert read(_entry(tmp_path, name, content), LIMIT) == LeftOut(f"größe/{name}", reason, counts=True)


def _heic(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "file",
    [
        *(_heic(_smooth(), quality=-1, chroma=444), _heic(_with_alpha(), quality=-1, chroma=444)),
        *(_file(one, "AVIF", quality=100, subsampling="4:4:4") for one in (_smooth(), _with_alpha())),
    ],
    ids=["HEIC", "HEIC with alpha", "AVIF", "AVIF with alpha"],
)
def test_the_pixels_of_heic_and_avif_are_close(file: bytes) -> None:
    opaque = _decoded(file).astype(int)
    assert min(np.abs(opaque - _over_white(one)).max() for one in (_smooth(), _with_alpha())) <= 6


TO_STORE = {
    **{1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM},
    **{5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIC", "HEIC by EXIF", "AVIF"])
def test_every_format_is_upright(tmp_path: Path, kind: str, number: int) -> None:
    turn, exif = TO_STORE[number], Image.Exif()
    exif[0x112] = number
    stored = _smooth() if turn is None else _smooth().transpose(turn)
    if kind == "HEIC":
        file = _heic(stored, quality=-1, chroma=444, exif=exif.tobytes())
        assert (b"irot" in file or b"imir" in file) == (number > 1)  # the container says it
    elif kind == "HEIC by EXIF":
        pillow_heif.register_heif_opener()
        file = _file(stored, "HEIF", quality=-1, chroma=444, exif=exif)
        assert b"irot" not in file
    else:
        options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}, "JPEG": {"quality": 95, "subsampling": 0}}
        file = _file(stored, kind, exif=exif, **options.get(kind, {}))
    example = _example(tmp_path, "turned", file)
    assert (example[features.HEIGHT], example[features.WIDTH]) == ([HEIGHT], [WIDTH])
    pixels = images.decode(tf.constant(example[features.ENCODED][0])).numpy().astype(int)
    assert np.abs(pixels - np.asarray(_smooth())).max() <= 8
    thumbnail = np.asarray(open_image(file).thumbnail(WIDTH)).astype(int)
    assert np.abs(thumbnail - np.asarray(_smooth())).max() <= 8


def test_the_first_image_of_a_jpeg_file_with_several_is_kept_as_a_jpeg() -> None:
    file = _file(_smooth(), "MPO", save_all=True, append_images=[_with_alpha().convert("RGB")])
    encoded, header = canonical(file, LIMIT)
    assert (encoded, header.format) == (file, "JPEG")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PGM", "JPEG2000"])
def test_gray_of_16_bits_keeps_every_level(tmp_path: Path, kind: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    gray = Image.fromarray(ramp.astype(np.int32) if kind == "PGM" else ramp)
    example = _example(tmp_path, "deep", _file(gray, "PPM" if kind == "PGM" else kind))
    assert example[features.DEPTH] == [16]
    decoded = tf.io.decode_png(example[features.ENCODED][0], dtype=tf.uint16)
    np.testing.assert_array_equal(decoded[..., 0], ramp)
    np.testing.assert_allclose(example[features.CHANNEL_MEAN], [0.5] * 3, atol=1e-3)
    np.testing.assert_allclose(example[features.CHANNEL_MEAN_SQUARE], [1 / 3] * 3, atol=5e-3)


@pytest.mark.parametrize("content", [b"no image", "größe\n".encode() * 2000, b'\xef\xbb\xbf{"a": 1}'])
def test_a_file_whose_content_is_text_is_left_out_and_does_not_count(tmp_path: Path, content: bytes) -> None:
    left_out = read(_entry(tmp_path, "text", content), LIMIT)
    assert left_out == LeftOut("größe/text", "is not an image in a supported format", counts=False)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM"])
def test_a_truncated_file_of_any_format_is_left_out(tmp_path: Path, kind: str) -> None:
    whole = _noise(kind)
    left_out = read(_entry(tmp_path, "cut.png", whole[: len(whole) // 2]), LIMIT)
    assert isinstance(left_out, LeftOut)
    assert left_out.counts
    assert left_out.reason.startswith((f"is a truncated or corrupt {kind}", "has a broken header", "is not an image"))


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("kind", [*LOSSLESS, *(f"JPEG {kind}" for kind in JPEGS)])
def test_a_damaged_file_is_left_out_or_training_can_decode_it(tmp_path: Path, kind: str) -> None:
    whole = LOSSLESS.get(kind) or JPEGS[kind.removeprefix("JPEG ")]
    source = np.random.default_rng(zlib.crc32(kind.encode()))
    for _ in range(8):
        damaged = bytearray(whole)
        damaged[source.integers(len(damaged))] = source.integers(256)
        result = read(_entry(tmp_path, "damaged", bytes(damaged)), LIMIT)
        if isinstance(result, tf.train.Example):
            encoded = result.features.feature[features.ENCODED].bytes_list.value[0]
            height, width, _ = images.decode(tf.constant(encoded)).shape
            assert [height, width] == [
                result.features.feature[side].int64_list.value[0] for side in (features.HEIGHT, features.WIDTH)
            ]


def test_a_text_file_next_to_the_images_is_left_out_but_does_not_count(tmp_path: Path) -> None:
    left_out = read(_entry(tmp_path, "notes.txt", b"these are cats"), LIMIT)
    assert left_out == LeftOut("größe/notes.txt", "is not an image in a supported format", counts=False)


def test_an_image_with_the_suffix_of_another_format_is_read(tmp_path: Path) -> None:
    assert _example(tmp_path, "a_png.jpg", LOSSLESS["PNG RGB"])[features.FORMAT] == [b"PNG"]


def test_a_missing_file_is_left_out(tmp_path: Path) -> None:
    entry = Entry(str(tmp_path / "gone.png"), "cat/gone.png", "cat")
    assert read(entry, LIMIT) == LeftOut("cat/gone.png", "cannot be read: No such file or directory", counts=True)


def test_an_image_at_the_pixel_limit_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    entry = _entry(tmp_path, "b.png", LOSSLESS["PNG RGB"])
    assert isinstance(read(entry, HEIGHT * WIDTH), tf.train.Example)
    assert isinstance(read(entry, HEIGHT * WIDTH - 1), LeftOut)
