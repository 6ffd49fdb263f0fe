"""Photographs for benchmarks: a given folder, or crops of scikit-learn's samples, repeated under many names."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

CLASSES = 10


def photographs(folder: Path, pixels: int | None, source: Path | None) -> Path:
    """Returns the source, or 100 crops of scikit-learn's two photographs, resized to a shorter side of `pixels`."""
    if source and not pixels:
        return source
    folder.mkdir()
    for number, whole in enumerate(_opened(source)):
        image = whole.convert("RGB")
        if pixels:
            scale = pixels / min(image.size)
            image = image.resize((round(scale * image.width), round(scale * image.height)))
        image.save(folder / f"{number:03d}.jpg", quality=90)
    return folder


def _opened(source: Path | None) -> Sequence[Image.Image]:
    if source:
        return [Image.open(file) for file in sorted(source.rglob("*")) if file.is_file()]
    wholes = [Image.fromarray(image) for image in load_sample_images().images]  # 640 x 427 each
    return [wholes[number % 2].crop((number, number, 540 + number, 327 + number)) for number in range(100)]


def repeat(source: Path, folder: Path, count: int) -> None:
    """Writes class folders with `count` copies of the photographs. The bytes of all JPEG files differ."""
    files = sorted(file for file in source.rglob("*") if file.is_file())
    for number in range(count):
        one = files[number % len(files)]
        target = folder / f"class {number % CLASSES}" / f"{number:06d}{one.suffix.lower()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_with_a_comment(one.read_bytes(), f"{number:06d}".encode()))


def _with_a_comment(file: bytes, comment: bytes) -> bytes:
    """Adds a segment to a JPEG file that decoders ignore. Other files stay as they are."""
    start, marker = b"\xff\xd8", b"\xff\xfe"
    if not file.startswith(start):
        return file
    return start + marker + (2 + len(comment)).to_bytes(2, "big") + comment + file[len(start) :]


def bytes_of(data: Path) -> int:
    """Returns the bytes of all files in the class folders."""
    return sum(file.stat().st_size for file in data.glob("*/*"))
