"""Images of any number of channels are shown in RGB."""

import numpy as np

from efficientmixnet.modules.data.shown import as_rgb


def test_bytes_are_shown_as_they_are() -> None:
    image = np.arange(2 * 2 * 5, dtype=np.uint8).reshape(2, 2, 5)
    np.testing.assert_array_equal(as_rgb(image), image[..., :3])
    np.testing.assert_array_equal(as_rgb(image, (4, 0, 2)), image[..., [4, 0, 2]])


def test_one_channel_is_shown_in_gray() -> None:
    image = np.array([[[7], [9]]], np.uint8)
    np.testing.assert_array_equal(as_rgb(image, (4, 2, 1)), [[[7, 7, 7], [9, 9, 9]]])


def test_each_channel_of_other_types_fills_the_range() -> None:
    ramp = np.linspace(0, 1, 101, dtype=np.float32)
    image = np.stack([ramp, 1000 * ramp - 300, np.full_like(ramp, -5)], axis=-1)[np.newaxis]
    shown = as_rgb(image)
    # The percentiles 1 and 99 of 101 even steps are the second and the last but one.
    assert shown[0, [1, 50, 99], 0].tolist() == [0, 127, 255]
    np.testing.assert_allclose(shown[..., 1], shown[..., 0], atol=1)
    assert not shown[..., 2].any()
