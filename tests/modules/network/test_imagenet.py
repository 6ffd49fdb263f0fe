"""Preprocessing of images and decoding of predictions."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network.imagenet import (
    Prediction,
    center_crop_and_resize,
    decode_predictions,
    preprocess_input,
)


def test_preprocessing_of_black_and_white():
    pixels = np.array([[[0, 0, 0], [255, 255, 255]]], "uint8")
    expected = [[[-2.117904, -2.035714, -1.804444], [2.248908, 2.428571, 2.64]]]  # PyTorch's Normalize of 0 and 1
    np.testing.assert_allclose(preprocess_input(pixels), expected, rtol=1e-5)
    assert preprocess_input(pixels).dtype == np.float32


def test_preprocessing_agrees_with_kerass_torch_mode():
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    expected = keras.applications.imagenet_utils.preprocess_input(pixels.copy(), mode="torch")
    np.testing.assert_allclose(preprocess_input(pixels), expected, atol=1e-5)
    tensor = preprocess_input(keras.ops.convert_to_tensor(pixels))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(tensor), expected, atol=1e-5)
    first = preprocess_input(np.moveaxis(pixels, -1, 1), data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), expected, atol=1e-5)


def test_preprocessing_of_other_channels_needs_their_mean_and_std():
    gray = np.full((1, 1, 1), 127.5, "float32")
    with pytest.raises(ValueError, match="images of 1 channels, mean and std of 3"):
        preprocess_input(gray)
    assert preprocess_input(gray, mean=[0.25], std=[0.5]) == 0.5


@pytest.mark.parametrize(("height", "width"), [(256, 300), (300, 256)])
def test_the_crop_is_seven_eighths_of_the_shorter_side(height, width):
    rows, columns = np.mgrid[:height, :width].astype("float32")
    crop = center_crop_and_resize(np.stack([rows, columns], axis=-1), 224)
    assert crop.shape == (224, 224, 2)  # 0.875 * 256 = 224: nothing is resized
    np.testing.assert_allclose(crop[:, 0, 0], (height - 224) / 2 + np.arange(224), atol=1e-3)
    np.testing.assert_allclose(crop[0, :, 1], (width - 224) / 2 + np.arange(224), atol=1e-3)


def test_a_batch_is_cropped_like_its_images():
    images = np.random.default_rng(0).uniform(0, 255, (2, 40, 50, 3)).astype("uint8")
    batch = center_crop_and_resize(images, 16, crop_padding=2, interpolation="bilinear")
    assert batch.shape == (2, 16, 16, 3)
    one = center_crop_and_resize(images[1], 16, crop_padding=2, interpolation="bilinear")
    np.testing.assert_allclose(batch[1], one, atol=1e-3)


def test_predictions_are_sorted_by_score():
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]])
    first, second = decode_predictions(scores, top=2, class_names=["ant", "bee", "cat"])
    assert first == [Prediction(1, "bee", 0.7), Prediction(2, "cat", 0.2)]
    assert [name for _, name, _ in second] == ["ant", "bee"]


def test_imagenet_names_come_from_keras_in_the_order_of_the_outputs(monkeypatch):
    def their_decoding(predictions, top):
        order = predictions[0].argsort()[::-1][:top]
        return [[(f"n{i}", f"class {i}", predictions[0][i]) for i in order]]

    monkeypatch.setattr(keras.applications.imagenet_utils, "decode_predictions", their_decoding)
    scores = np.zeros((1, 1000), "float32")
    scores[0, 281] = 1
    assert decode_predictions(scores, top=1) == [[Prediction(281, "class 281", 1.0)]]


def test_predictions_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\), give \(batch, classes\)"):
        decode_predictions(np.zeros(3), class_names=["ant", "bee", "cat"])
    with pytest.raises(ValueError, match="2 classes, but 3 class_names"):
        decode_predictions(np.zeros((1, 2)), class_names=["ant", "bee", "cat"])
