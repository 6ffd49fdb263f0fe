"""`inspect` and `run` give the same reason for the same file."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tensorflow as tf
from PIL import Image, TiffImagePlugin, TiffTags

from efficientmixnet.components.image_example_gen.image import read
from efficientmixnet.components.image_example_gen.image_header import FORMATS, open_image
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadImage
from efficientmixnet.pipeline.inspection.inspect_images import inspect_images

MAX_PIXELS = 10_000


def _image(kind: str, side: int = 64) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(Image.fromarray(pixels)).save(file)
    else:
        Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def _with_wrong_checksum(png: bytes) -> bytes:
    damaged = bytearray(png)
    damaged[png.index(b"IDAT") + 2000] ^= 0x10
    return bytes(damaged)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", [TiffTags.BYTE, TiffTags.ASCII])
def test_an_orientation_in_xmp_does_not_turn_a_tiff_file(bits: int, kind: int) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[700] = kind
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    tags[700] = xmp if kind == TiffTags.BYTE else xmp.decode()
    pixels = np.arange(8, dtype=np.uint8 if bits == 8 else np.uint16).reshape(2, 4)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "TIFF", tiffinfo=tags)
    opened = open_image(file.getvalue())
    assert opened.size == (4, 2)
    assert opened.levels()[..., 0].tolist() == pixels.tolist()


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty.jpg": (b"", "has zero bytes"),
    "text.jpg": (b"not an image", "is not an image in a supported format"),
    "notes.dat": (b"these are cats", "is not an image in a supported format"),
    "icon.ico": (_image("ICO"), "is not an image in a supported format"),
    "large.png": (_image("PNG", 101), "has 101 x 101 pixels, over the limit (data.max_pixels: 10000)"),
    "checksum.png": (_with_wrong_checksum(_image("PNG")), "is a truncated or corrupt PNG file"),
    **{
        f"cut.{kind.lower()}": (_image(kind)[: len(_image(kind)) * 2 // 3], f"is a truncated or corrupt {kind} file")
        for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF")
    },
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is not an image in a supported format"),
    "cut.webp": (_image("WEBP")[:2000], ""),  # Pillow's versions differ in when they notice it
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "good.png").write_bytes(_image("PNG"))
    for name, (content, _) in BROKEN.items():
        (tmp_path / "cat" / name).write_bytes(content)
    return tmp_path


def _reasons_of_run(folder: Path) -> dict[str, LeftOut]:
    entries = find_images(str(folder), None, frozenset({"train"})).entries
    results = [read(entry, MAX_PIXELS) for entry in entries]
    assert sum(isinstance(result, tf.train.Example) for result in results) == 2
    return {result.name: result for result in results if isinstance(result, LeftOut)}


def _reasons_of_inspect(folder: Path) -> dict[str, LeftOut]:
    sources = find_images(str(folder), None, frozenset({"train"}))
    found = inspect_images(sources, Layout(), {"train": 1.0}, MAX_PIXELS)
    assert found.images == 2
    return {one.name: one for one in found.left_out}


@pytest.mark.parametrize("change", [lambda _: None, lambda folder: (folder / "cat/text.jpg").chmod(0)])
def test_inspect_and_run_give_the_same_reason(folder: Path, change: Callable[[Path], None]) -> None:
    change(folder)
    assert _reasons_of_inspect(folder) == _reasons_of_run(folder)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_has_the_expected_reason(folder: Path, name: str) -> None:
    _, reason = BROKEN[name]
    assert reason in _reasons_of_inspect(folder)[f"cat/{name}"].reason


@pytest.mark.parametrize("kind", FORMATS)
def test_the_header_of_every_format_is_read(kind: str) -> None:
    opened = open_image(_image(kind), 64 * 64)
    assert (opened.format, opened.size) == (kind, (64, 64))
    with pytest.raises(BadImage, match=r"has 64 x 64 pixels, over the limit \(data.max_pixels: 4095\)"):
        open_image(_image(kind), 64 * 64 - 1)
