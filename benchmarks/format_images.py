"""Handwritten digits in 12 formats, in all 8 EXIF orientations and at 4 depths, where the format has them.

Each format has as many images as the others. The digits of the evaluation split are the same in all formats, but each
orientation has other digits. So compare the ways to predict, not the orientations.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pillow_heif
import tifffile
from PIL import Image
from sklearn.datasets import load_digits

GRAY, COLOR, DEEP, FLOAT = "8-bit gray", "8-bit color", "16-bit", "float"
HEIGHT, WIDTH = 48, 36  # not square, so that a wrong orientation changes the shape
MANIFEST = "images.csv"

_ORIENTATION = 0x112  # the tag of EXIF and of TIFF
_BRIGHTEST = 16  # of scikit-learn's digits
# How a file stores an upright image, by its orientation. EXIF says which sides of the image the first row and the first
# column are.
_STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda upright: upright,  # top, left
    2: np.fliplr,  # top, right
    3: lambda upright: np.rot90(upright, 2),  # bottom, right
    4: np.flipud,  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: np.rot90,  # right, top
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),  # right, bottom
    8: lambda upright: np.rot90(upright, -1),  # left, bottom
}


@dataclass(frozen=True)
class Row:
    """An image in the manifest."""

    path: str
    label: int
    split: str
    format: str
    orientation: int
    depth: str


@dataclass(frozen=True)
class Format:
    """How to write a file: pixels [height, width] or [height, width, 3] as stored, and the orientation, -> bytes."""

    suffix: str
    write: Callable[[np.ndarray, int], bytes]
    depths: tuple[str, ...]
    turns: bool = False  # whether the format has an orientation


def _with_pillow(name: str, **options: object) -> Callable[[np.ndarray, int], bytes]:
    def write(pixels: np.ndarray, orientation: int) -> bytes:
        file, exif = io.BytesIO(), Image.Exif()
        exif[_ORIENTATION] = orientation
        Image.fromarray(pixels).save(file, name, **options, **({"exif": exif} if orientation > 1 else {}))
        return file.getvalue()

    return write


def _tiff(pixels: np.ndarray, orientation: int) -> bytes:
    file, colors = io.BytesIO(), "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(file, pixels, photometric=colors, extratags=[(_ORIENTATION, "H", 1, orientation, True)])
    return file.getvalue()


def _heic(pixels: np.ndarray, orientation: int) -> bytes:
    file, exif = io.BytesIO(), Image.Exif()
    exif[_ORIENTATION] = orientation
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=90, exif=exif.tobytes())
    return file.getvalue()


def _pnm(pixels: np.ndarray, orientation: int) -> bytes:
    # Pillow writes PGM files of 16 bits from 32 bits.
    return _with_pillow("PPM")(pixels.astype(np.int32) if pixels.dtype == np.uint16 else pixels, orientation)


def _numpy(save: Callable[[io.BytesIO, np.ndarray], None]) -> Callable[[np.ndarray, int], bytes]:
    def write(pixels: np.ndarray, orientation: int) -> bytes:
        file = io.BytesIO()
        save(file, pixels)
        return file.getvalue()

    return write


FORMATS = {
    "JPEG": Format("jpg", _with_pillow("JPEG", quality=90), (GRAY, COLOR), turns=True),
    "PNG": Format("png", _with_pillow("PNG"), (GRAY, COLOR, DEEP), turns=True),
    "GIF": Format("gif", _with_pillow("GIF"), (GRAY, COLOR)),
    "BMP": Format("bmp", _with_pillow("BMP"), (GRAY, COLOR)),
    "WebP": Format("webp", _with_pillow("WEBP", quality=90), (COLOR,), turns=True),
    "TIFF": Format("tiff", _tiff, (GRAY, COLOR, DEEP, FLOAT), turns=True),
    "HEIC": Format("heic", _heic, (GRAY, COLOR), turns=True),
    "AVIF": Format("avif", _with_pillow("AVIF", quality=90), (GRAY, COLOR), turns=True),
    "JPEG 2000": Format("jp2", _with_pillow("JPEG2000"), (GRAY, COLOR, DEEP)),
    "PPM": Format("ppm", _pnm, (GRAY, COLOR, DEEP, FLOAT)),
    "NPY": Format("npy", _numpy(np.save), (COLOR, DEEP, FLOAT)),
    "NPZ": Format("npz", _numpy(np.savez_compressed), (COLOR, DEEP, FLOAT)),
}
_DEEP_COLORS = ("TIFF", "NPY", "NPZ")  # Pillow writes no colors with more than 8 bits


def write_images(folder: Path, each: int) -> list[Row]:
    """Writes `each` images of every format, about half of them for evaluation, and a manifest."""
    digits = load_digits()
    evaluated, rows = each * 12 // 25, []  # of 200 images: 96, three for each orientation and depth of a TIFF file
    for place, (name, kind) in enumerate(FORMATS.items()):
        Path(folder, kind.suffix).mkdir(parents=True)
        for number in range(each):
            digit = number
            if number >= evaluated:  # for training: other digits in each format
                digit = evaluated + (place * each + number) % (len(digits.images) - evaluated)
            row = Row(
                path=f"{kind.suffix}/{number:04d}.{kind.suffix}",
                label=int(digits.target[digit]),
                split="train" if number >= evaluated else "eval",
                format=name,
                orientation=number % len(_STORED) + 1 if kind.turns else 1,
                depth=kind.depths[number // len(_STORED) % len(kind.depths)],
            )
            pixels = _pixels(digits.images[digit], row, np.random.default_rng([place, number]))
            stored = np.ascontiguousarray(_STORED[row.orientation](pixels))
            Path(folder, row.path).write_bytes(kind.write(stored, row.orientation))
            rows.append(row)
    write_manifest(folder / MANIFEST, rows)
    return rows


def write_manifest(file: Path, rows: Iterable[Row]) -> None:
    """Writes the rows as CSV."""
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(map(asdict, rows))


def _pixels(digit: np.ndarray, row: Row, draws: np.random.Generator) -> np.ndarray:
    """Enlarges a digit, and paints it with light ink on a dark ground: [8, 8] -> [height, width] or [..., 3]."""
    depth = row.depth
    small = Image.fromarray((digit / _BRIGHTEST).astype(np.float32))
    square = np.clip(np.asarray(small.resize((WIDTH, WIDTH), Image.Resampling.BICUBIC)), 0, 1)
    margin = (HEIGHT - WIDTH) // 2
    ink = np.pad(square, ((margin, margin), (0, 0)))  # evaluation crops the central square
    if depth == COLOR or (depth in (DEEP, FLOAT) and row.format in _DEEP_COLORS):
        dark, light = draws.uniform(0.0, 0.3, 3), draws.uniform(0.6, 1.0, 3)
        ink = dark + (light - dark) * ink[..., np.newaxis]
    if depth == FLOAT:
        return ink.astype(np.float32)
    return np.round(ink * (65535 if depth == DEEP else 255)).astype(np.uint16 if depth == DEEP else np.uint8)
