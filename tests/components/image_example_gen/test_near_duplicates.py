"""Perceptual hashes of scikit-learn's photographs, and the search for similar ones."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from efficientmixnet.components.image_example_gen.near_duplicates import (
    HASH_BYTES,
    gray_pixels,
    near_duplicates,
    perceptual_hash,
)


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Two photographs, 640 x 427 pixels."""
    return [Image.fromarray(pixels) for pixels in load_sample_images().images]


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _hash(image: Image.Image | np.ndarray) -> bytes:
    return perceptual_hash(gray_pixels(image))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((320, 213)),
        lambda image: image.resize((160, 107), Image.Resampling.NEAREST),
        lambda image: image.resize((960, 640)),
        lambda image: _jpeg(image, 20),
        lambda image: image.convert("L"),
        lambda image: image.convert("RGBA"),
        np.asarray,
        lambda image: np.asarray(image).astype(np.uint16) * 257,
        lambda image: np.asarray(image.convert("L"))[..., None],
    ],
)
def test_another_size_quality_or_color_is_a_near_duplicate(photographs: list[Image.Image], change: object) -> None:
    hashes = [_hash(photographs[0]), _hash(photographs[1]), _hash(change(photographs[0]))]
    assert near_duplicates(b"".join(hashes), [0, 1, 1]) == [[0, 2]]


def test_a_mirrored_or_another_photograph_is_no_near_duplicate(photographs: list[Image.Image]) -> None:
    mirrored = photographs[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert near_duplicates(_hash(photographs[0]) + _hash(mirrored) + _hash(photographs[1]), [0, 1, 2]) == []


def test_near_duplicates_in_one_split_are_not_reported(photographs: list[Image.Image]) -> None:
    assert near_duplicates(_hash(photographs[0]) * 3, [1, 1, 1]) == []


def test_images_of_less_than_32_pixels_have_no_hash() -> None:
    assert gray_pixels(Image.new("L", (31, 200))) == b""
    assert len(perceptual_hash(gray_pixels(Image.linear_gradient("L").resize((32, 32))))) == HASH_BYTES


@pytest.mark.parametrize("gray", [0, 128, 255])
def test_an_image_of_one_color_has_no_hash(gray: int) -> None:
    assert gray_pixels(Image.new("RGB", (64, 64), (gray,) * 3)) == b""
    assert gray_pixels(np.full((64, 64, 1), 257 * gray, np.uint16)) == b""
    steps = np.full((64, 64, 1), 100, np.uint8)
    steps[:32] = 103
    assert gray_pixels(steps) == b""
    steps[:32] = 104
    assert set(gray_pixels(steps)) == {100, 104}


@pytest.mark.parametrize(("brightest", "found"), [(1003, set()), (1010, {0, 255})])
def test_levels_of_16_bits_are_stretched_to_8_bits(brightest: int, found: set[int]) -> None:
    halves = np.full((64, 64, 1), 1000, np.uint16)
    halves[32:] = brightest
    assert set(gray_pixels(halves)) == found


def test_dark_images_of_16_bits_are_compared_by_their_own_range(photographs: list[Image.Image]) -> None:
    dark = [np.asarray(image).astype(np.uint16) for image in photographs]  # 0 to 255 of 65535
    hashes = [_hash(dark[0]), _hash(dark[1]), _hash(photographs[0]), _hash(dark[0][::2, ::2] + 1000)]
    assert near_duplicates(b"".join(hashes), [0, 1, 2, 3]) == [[0, 2, 3]]


def test_different_dark_images_of_16_bits_are_no_near_duplicates() -> None:
    source = np.random.default_rng(0)
    coarse = [Image.fromarray(source.integers(0, 256, (8, 8), dtype=np.uint8)).resize((64, 64)) for _ in range(10)]
    hashes = [_hash(np.asarray(image).astype(np.uint16)[..., None]) for image in coarse]
    assert near_duplicates(b"".join(hashes), list(range(10))) == []


@pytest.mark.parametrize(("bits", "found"), [(20, True), (22, False)])
def test_copies_are_found_among_many_images(bits: int, found: bool) -> None:
    source = np.random.default_rng(0)
    table = source.integers(0, 256, (20_000, HASH_BYTES), dtype=np.uint8)
    for number in range(100):  # The last hundred are copies of the first hundred.
        copy = np.unpackbits(table[number])
        copy[source.choice(256, bits, replace=False)] ^= 1
        table[-1 - number] = np.packbits(copy)
    groups = near_duplicates(table.tobytes(), [0] * 10_000 + [1] * 10_000)
    expected = [[number, 19_999 - number] for number in range(100)] if found else []
    # By the probability in the module, one of a hundred may be missed.
    assert len(groups) >= len(expected) - 3
    assert all(group in expected for group in groups)


def test_no_images_have_no_near_duplicates() -> None:
    assert near_duplicates(b"", []) == []


def test_drawings_in_alpha_alone_are_compared(photographs: list[Image.Image]) -> None:
    drawing = photographs[0].convert("L").point(lambda level: 255 - level)
    black = Image.new("RGBA", drawing.size)
    black.putalpha(drawing)
    on_white = photographs[0].convert("L")
    difference = np.frombuffer(_hash(np.asarray(black)), np.uint8) ^ np.frombuffer(_hash(on_white), np.uint8)
    assert np.unpackbits(difference).sum() <= 2
