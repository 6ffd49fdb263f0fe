"""Tests of efficientmixnet.load: labels, probabilities and embeddings of files, bytes and arrays."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.scoring.model import Model, load


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory, push_brightness: Callable[..., None]) -> Path:
    """An output folder with a pushed model."""
    folder = tmp_path_factory.mktemp("output")
    push_brightness(folder / "pushed" / "7", "bright", "dark")
    return folder


@pytest.fixture(scope="module")
def model(output: Path) -> Model:
    return load(output)


def _pixels(*color: int) -> np.ndarray:
    return np.full([4, 6, 3], color, np.uint8)


def test_paths_bytes_and_arrays_get_the_same_predictions(model: Model, tmp_path: Path) -> None:
    pixels = _pixels(51, 51, 51)  # 51 / 255 = 0.2
    Image.fromarray(pixels).save(tmp_path / "gray.png")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "TIFF")
    images = [tmp_path / "gray.png", str(tmp_path / "gray.png"), file.getvalue(), pixels, pixels[..., 0]]
    assert model.predict(images, top_k=1) == [[("dark", pytest.approx(0.8))]] * 5
    np.testing.assert_allclose(model.probabilities(images), [[0.2, 0.8]] * 5, rtol=1e-5)


def test_top_k_labels_are_sorted_by_their_probability(model: Model) -> None:
    white = np.full([2, 4, 6], 65535, np.uint16)  # a stack of two gray images
    assert model.predict(white) == [[("bright", pytest.approx(1)), ("dark", pytest.approx(0))]] * 2
    assert model.labels == ["bright", "dark"]


def test_embeddings_have_a_row_for_each_of_many_images(model: Model) -> None:
    found = model.embed([_pixels(0, 51, number) for number in range(70)])
    expected = [[0, 0.2, number / 255] for number in range(70)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert model.embed([]).shape[0] == 0


def test_images_that_cannot_be_read_are_named(model: Model, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.png: cannot be read: No such file"):
        model.predict([tmp_path / "none.png"])
    with pytest.raises(BadInput, match="image 1: an array of float64; give uint8"):
        model.predict([_pixels(0, 0, 0), np.zeros([4, 4, 3])])
    with pytest.raises(BadInput, match=r"image 0: an array of shape \[4, 4, 2\]"):
        model.embed([np.zeros([4, 4, 2], np.uint8)])
    with pytest.raises(BadInput, match=r"give a list of images, such as \['photo\.jpg'\]"):
        model.predict("photo.jpg")
    file = io.BytesIO()
    Image.effect_noise((40, 40), 90).convert("RGB").save(file, "PNG")
    for call in (model.predict, model.embed):
        with pytest.raises(BadInput, match="image 1: is a truncated or corrupt file"):
            call([_pixels(0, 0, 0), file.getvalue()[:200]])


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4)])
def test_a_single_array_is_refused_and_a_stack_is_not(model: Model, shape: tuple[int, ...]) -> None:
    pixels = np.zeros(shape, np.uint8)
    for call in (model.predict, model.probabilities, model.embed):
        with pytest.raises(BadInput, match=r"^images: an array of shape \[4, 6.*\] is one image; give a list"):
            call(pixels)
        assert len(call([pixels])) == 1
        assert len(call(pixels[np.newaxis])) == 1


def test_a_model_without_embeddings_is_named(tmp_path: Path) -> None:
    class Older(tf.Module):
        @tf.function(input_signature=[])
        def class_labels(self) -> tf.Tensor:
            return tf.constant(["bright", "dark"])

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def classify(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": tf.ones([tf.shape(images)[0], 2])}

    module = Older()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.classify})
    with pytest.raises(BadInput, match="has no embeddings, because an earlier version pushed it"):
        load(tmp_path).embed([_pixels(0, 0, 0)])


def test_a_run_without_a_pushed_model_is_named() -> None:
    with pytest.raises(BadInput) as raised:
        load(None)  # as Run.pushed_model is then
    message = "model: the run has pushed no model, and run.reason says why; load(OUTPUT) loads the newest pushed model"
    assert str(raised.value) == message
