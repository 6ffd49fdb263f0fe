"""Values of every type become 16 bits."""

import numpy as np
import pytest

from efficientmixnet.components.image_example_gen.depth import as_16_bits


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 1, 258, 65535], np.uint16), [0, 1, 258, 65535]),
        (np.array([0, 2**31, 2**32 - 1], np.uint32), [0, 32768, 65535]),
        (np.array([0, 2**64 - 1], np.uint64), [0, 65535]),
        (np.array([-32768, 0, 32767], np.int16), [0, 32768, 65535]),
        (np.array([-(2**31), 2**31 - 1], np.int32), [0, 65535]),
        (np.array([0.0, 0.5, 0.75], np.float32), [0, 32768, 49151]),
        (np.array([-1.0, 0.0, 3.0]), [0, 16384, 65535]),
        (np.array([100.0, np.nan, 200.0, np.inf, -np.inf]), [0, 0, 65535, 65535, 0]),
        (np.array([-1.7e308, 0.0, 1.7e308]), [0, 32768, 65535]),
        (np.array([7.0, 7.0], np.float16), [0, 0]),
        (np.array([np.nan, np.nan]), [0, 0]),
    ],
)
def test_values_are_scaled_by_the_range_of_their_type_and_floats_by_their_own(
    values: np.ndarray, expected: list[int]
) -> None:
    scaled = as_16_bits(values)
    assert scaled.dtype == np.uint16
    assert scaled.tolist() == expected


def test_fewer_bits_than_those_of_the_type_are_scaled_by_what_they_can_hold() -> None:
    assert as_16_bits(np.array([0, 4095], np.uint16), bits=12).tolist() == [0, 65535]
