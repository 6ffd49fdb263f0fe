"""Photographs for a benchmark: a folder of one's own, or parts of scikit-learn's; as many as wanted, by many names."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

CLASSES = 10


def photographs(folder: Path, pixels: int | None, source: Path | None) -> Path:
    """The source, or 100 parts of scikit-learn's two photographs; with `pixels` made so small, the shorter side."""
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
    """Class folders with `count` names for the photographs; each JPEG file has bytes of its own, as real ones do."""
    files = sorted(file for file in source.rglob("*") if file.is_file())
    for number in range(count):
        one = files[number % len(files)]
        target = folder / f"class {number % CLASSES}" / f"{number:06d}{one.suffix.lower()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_with_a_comment(one.read_bytes(), f"{number:06d}".encode()))


def _with_a_comment(file: bytes, comment: bytes) -> bytes:
    """A JPEG file with another segment, which no decoder looks at; other files as they are."""
    start, marker = b"\xff\xd8", b"\xff\xfe"
    if not file.startswith(start):
        return file
    return start + marker + (2 + len(comment)).to_bytes(2, "big") + comment + file[len(start) :]


def bytes_of(data: Path) -> int:
    """Of all files in the class folders."""
    return sum(file.stat().st_size for file in data.glob("*/*"))
