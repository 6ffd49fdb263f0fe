"""RandAugment's geometric operations on images of a few pixels."""

import numpy as np
import tensorflow as tf

from efficientmixnet.modules.data.augmentation import geometry

SQUARE = np.arange(1, 17, dtype="uint8").reshape(4, 4)
GRAY = 128


def moved(movement: object, amount: float, image: np.ndarray = SQUARE) -> list:
    colored = tf.constant(np.repeat(image[..., None], 3, -1))
    result = movement(colored, tf.constant(amount)).numpy()  # type: ignore[operator]
    np.testing.assert_array_equal(result[..., 0], result[..., 2])
    return result[..., 0].tolist()


def test_quarter_turn() -> None:
    assert moved(geometry.rotate, 90.0) == np.rot90(SQUARE).tolist()
    assert moved(geometry.rotate, -90.0) == np.rot90(SQUARE, -1).tolist()


def test_half_turn_of_a_rectangular_image() -> None:
    assert moved(geometry.rotate, 180.0, SQUARE[:3]) == SQUARE[:3][::-1, ::-1].tolist()


def test_translations_move_whole_pixels_and_fill_with_gray() -> None:
    assert moved(geometry.translate_x, 0.25)[0] == [2, 3, 4, GRAY]
    assert moved(geometry.translate_x, -0.5)[0] == [GRAY, GRAY, 1, 2]
    assert np.transpose(moved(geometry.translate_y, 0.25))[0].tolist() == [5, 9, 13, GRAY]


def test_shears_shift_rows_and_columns_relative_to_the_center() -> None:
    three = np.arange(1, 10, dtype="uint8").reshape(3, 3)
    assert moved(geometry.shear_x, 1.0, three) == [[GRAY, 1, 2], [4, 5, 6], [8, 9, GRAY]]
    assert moved(geometry.shear_y, 1.0, three) == [[GRAY, 2, 6], [1, 5, 9], [4, 8, GRAY]]


def test_an_amount_of_zero_changes_nothing() -> None:
    movements = (geometry.rotate, geometry.shear_x, geometry.shear_y, geometry.translate_x, geometry.translate_y)
    assert all(moved(movement, 0.0) == SQUARE.tolist() for movement in movements)
