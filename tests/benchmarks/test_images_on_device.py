"""The GPU study makes its batches on the device as NumPy makes them."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), "uint8")


def _changed(image: np.ndarray, down: int, right: int, mirrored: int, top: int, left: int) -> np.ndarray:
    padded = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="reflect")
    found = padded[down : down + 32, right : right + 32].copy()
    if mirrored:
        found = found[:, ::-1].copy()
    found[top : top + 8, left : left + 8] = 128
    return found


def test_images_are_chosen_shifted_mirrored_and_erased() -> None:
    from images_on_device import augmented

    draw = np.random.default_rng(1)
    corners = np.array([[7, 0, 0, 0, 0, 0], [7, 8, 8, 1, 24, 24], [19, 0, 8, 1, 0, 24], [0, 4, 4, 0, 12, 3]])
    others = np.stack([draw.integers(0, most, 30) for most in (20, 9, 9, 2, 25, 25)], axis=1)
    drawn = np.concatenate([corners, others])
    expected = np.stack([_changed(IMAGES[chosen], *changes) for chosen, *changes in drawn])
    found = jax.jit(augmented)(IMAGES, drawn.T.astype("int32"))
    assert found.dtype == "uint8"
    np.testing.assert_array_equal(found, expected)


def test_a_seed_gives_the_batches_of_other_backends() -> None:
    from cifar_images import Batches
    from images_on_device import augmented, draw_epoch

    batches = Batches(IMAGES, np.arange(20) % 10, batch=6, seed=3)
    for epoch in range(2):
        drawn = draw_epoch(20, 6, seed=3, epoch=epoch)
        assert drawn.shape == (3, 6, 6)
        for index, numbers in enumerate(drawn):
            images, labels = batches[index]
            np.testing.assert_array_equal(augmented(IMAGES, numbers), images)
            np.testing.assert_array_equal(numbers[0] % 10, labels.argmax(1))
        batches.on_epoch_begin()
