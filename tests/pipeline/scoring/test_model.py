"""Tests of efficientmixnet.load: labels, probabilities and embeddings of files, bytes, images of Pillow and arrays."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.scoring.image_classifier import BATCH
from efficientmixnet.pipeline.scoring.model import Model, load
from tests.shared.few_rows import few_rows


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


@pytest.mark.parametrize(("mode", "name"), [("P", "a.png"), ("P", "a.gif"), ("CMYK", "a.jpg"), ("CMYK", "a.tif")])
def test_an_image_of_pillow_gets_the_prediction_of_its_file(model: Model, tmp_path: Path, mode: str, name: str) -> None:
    path = tmp_path / name
    Image.new("RGB", (8, 8), (204, 102, 51)).convert(mode).save(path)
    of_path, of_bytes, of_image = model.embed([path, path.read_bytes(), Image.open(path)])
    np.testing.assert_array_equal(of_path, of_bytes)
    # Pillow and TensorFlow convert the CMYK of a JPEG file to RGB with other roundings.
    np.testing.assert_allclose(of_image, of_path, atol=0.01 if name == "a.jpg" else 0)
    np.testing.assert_allclose(of_image, [0.8, 0.4, 0.2], atol=0.02)


@pytest.mark.parametrize(
    ("method", "called"),
    [("embed", "embeddings"), ("probabilities", "probabilities"), ("predict", "probabilities")],
)
def test_images_are_read_a_batch_at_a_time(
    model: Model, monkeypatch: pytest.MonkeyPatch, method: str, called: str
) -> None:
    drawn: list[int] = []
    drawn_at_calls: list[int] = []

    def images() -> Iterator[np.ndarray]:
        for number in range(2 * BATCH + 3):
            drawn.append(number)
            yield _pixels(0, 0, 0)

    original = getattr(model._classifier, called)

    def counted(encoded: list[bytes]) -> np.ndarray:
        drawn_at_calls.append(len(drawn))
        return original(encoded)

    monkeypatch.setattr(model._classifier, called, counted)
    assert len(getattr(model, method)(images())) == 2 * BATCH + 3
    assert drawn_at_calls == [BATCH, 2 * BATCH, 2 * BATCH + 3]


def test_a_bad_image_of_a_later_batch_has_its_number(model: Model) -> None:
    good = [_pixels(0, 0, 0)] * (BATCH + 2)
    for bad, reason in ((_pixels(0, 0, 0)[..., :2], "an array of shape"), (few_rows(), "is a truncated")):
        with pytest.raises(BadInput, match=f"^image {BATCH + 2}: {reason}"):
            model.embed(iter([*good, bad, *good]))


def test_top_k_labels_are_sorted_by_their_probability(model: Model) -> None:
    white = np.full([2, 4, 6], 65535, np.uint16)  # a stack of two gray images
    assert model.predict(white) == [[("bright", pytest.approx(1)), ("dark", pytest.approx(0))]] * 2
    assert model.labels == ["bright", "dark"]


@pytest.mark.parametrize("top_k", ["3", 1.5, None])
def test_a_number_of_labels_that_is_none_is_refused(model: Model, top_k: Any) -> None:
    with pytest.raises(BadInput, match=f"^top_k: {top_k!r} is not a whole number; give the number of labels, such"):
        model.predict([_pixels(0, 0, 0)], top_k=top_k)


@pytest.mark.parametrize("image", [io.BytesIO(b"image"), None, {"a": 1}])
def test_an_image_of_another_type_is_named_with_what_can_be_given(model: Model, image: Any) -> None:
    kind = type(image).__name__
    with pytest.raises(BadInput, match=f"^image 0: is of type {kind}; give a path, bytes, an image of Pillow"):
        model.predict([image])


@pytest.mark.parametrize(
    "image", [7, True, 0.5, np.uint8(7), np.float32(0.5), ["photo.jpg"], [None], np.datetime64("2026-01-02")]
)
def test_a_number_or_a_list_of_no_numbers_is_no_image(model: Model, image: Any) -> None:
    kind = type(image).__name__
    with pytest.raises(BadInput, match=f"^image 1: is of type {kind}; give a path, bytes, an image of Pillow or an ar"):
        model.predict([_pixels(0, 0, 0), image])


def test_an_object_that_is_no_array_is_named_with_the_reason(model: Model) -> None:
    class Lazy:
        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            raise RuntimeError("call detach() first\nof all")

    with pytest.raises(BadInput) as raised:
        model.predict([Lazy()])
    reason = "is of type Lazy, and no array (RuntimeError: call detach() first)"
    assert str(raised.value) == f"image 0: {reason}; give a path, bytes, an image of Pillow or an array"
    with pytest.raises(BadInput, match=r"^image 0: is of type list, and no array \(.*inhomogeneous"):
        model.predict([[[1, 2], [3]]])  # rows of different lengths


@pytest.mark.parametrize(
    ("dtype", "name"), [(object, "object"), (bool, "bool"), ("<U3", "<U3"), (complex, "complex128")]
)
def test_an_array_of_another_type_is_named(model: Model, dtype: Any, name: str) -> None:
    with pytest.raises(BadInput, match=f"^image 0: an array of {name}; give uint8"):
        model.predict([np.zeros([4, 6, 3], dtype)])


def test_an_array_of_too_many_pixels_is_refused_before_it_is_encoded(model: Model) -> None:
    image = np.broadcast_to(np.uint8(7), (20_000, 50_000, 3))  # of one byte
    with pytest.raises(BadInput, match=r"^image 0: has 50000 x 20000 pixels, over the limit"):
        model.predict([image])


@pytest.mark.parametrize(
    "images",
    [
        *(None, 7, np.float32(0.5), np.array(7), {"photo.jpg": 1}, io.BytesIO(b"image"), tf.constant(7)),
        keras.KerasTensor([None, 4, 6, 3]),
    ],
)
@pytest.mark.parametrize("method", ["predict", "probabilities", "embed"])
def test_what_is_no_list_of_images_is_named(model: Model, method: str, images: Any) -> None:
    kind = type(images).__name__
    with pytest.raises(BadInput, match=rf"^images: is of type {kind}; give a list of images, such as \['photo.jpg'\]$"):
        getattr(model, method)(images)


def test_paths_of_every_kind_are_read_and_named(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "gray.png"
    Image.fromarray(_pixels(51, 51, 51)).save(path)
    (entry,) = os.scandir(os.fsencode(tmp_path))  # a path object of bytes
    images = [path, str(path), np.str_(path), entry]
    for given in (images, tuple(images), (one for one in images), np.array([str(path)] * 4), np.array(images[:1] * 4)):
        np.testing.assert_allclose(model.probabilities(given), [[0.2, 0.8]] * 4, rtol=1e-5)
    with pytest.raises(BadInput, match=r"a\x00\.png: has a name with a zero byte"):
        model.predict(["a\x00.png"])


@pytest.mark.parametrize("given", [7, ["runs"], {"runs": 1}])
def test_a_model_that_is_no_path_is_named(given: Any) -> None:
    with pytest.raises(BadInput, match=f"^model: is of type {type(given).__name__}; give a path, as text or as a path"):
        load(given)


@pytest.mark.parametrize("name", ["a\udcff", "a\x00"])
def test_a_model_whose_name_is_not_text_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"has a character that is not text \(.*\); rename the folder"):
        load(tmp_path / name)


def test_without_images_there_are_no_rows_of_all_columns(model: Model) -> None:
    assert model.predict([]) == []
    for call in (model.probabilities, model.embed):
        assert call([]).shape == (0, call([_pixels(0, 0, 0)]).shape[1])
        assert call([]).dtype == np.float32


@pytest.mark.parametrize("top_k", [0, -1])
def test_fewer_labels_than_one_are_refused(model: Model, top_k: int) -> None:
    with pytest.raises(BadInput, match=f"^top_k: {top_k} is less than 1; give the number of labels for each image"):
        model.predict([_pixels(0, 0, 0)], top_k=top_k)


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
    with pytest.raises(BadInput, match=r"or float32 \(0 to 1\)$"):
        model.predict([np.zeros([4, 4, 3], np.int32)])
    with pytest.raises(BadInput, match=r"image 0: an array of shape \[4, 4, 2\]"):
        model.embed([np.zeros([4, 4, 2], np.uint8)])
    with pytest.raises(BadInput, match=r"give a list of images, such as \['photo\.jpg'\]"):
        model.predict("photo.jpg")
    for call in (model.predict, model.embed):
        with pytest.raises(BadInput, match="image 1: is a truncated or corrupt PNG file"):
            call([_pixels(0, 0, 0), few_rows()[:200]])
        with pytest.raises(BadInput, match="image 1: is a truncated or corrupt file"):
            call([_pixels(0, 0, 0), few_rows()])


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4)])
def test_a_single_array_is_refused_and_a_stack_is_not(model: Model, shape: tuple[int, ...]) -> None:
    pixels = np.zeros(shape, np.uint8)
    for call in (model.predict, model.probabilities, model.embed):
        with pytest.raises(BadInput, match=r"^images: an array of shape \[4, 6.*\] is one image; give a list"):
            call(pixels)
        assert len(call([pixels])) == 1
        assert len(call(pixels[np.newaxis])) == 1


@pytest.mark.parametrize(
    ("library", "function"), [("tensorflow", "constant"), ("jax.numpy", "asarray"), ("torch", "from_numpy")]
)
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
def test_a_single_tensor_of_any_library_is_refused_and_a_stack_is_not(
    model: Model, library: str, function: str, shape: tuple[int, ...]
) -> None:
    tensor = getattr(pytest.importorskip(library), function)
    pixels = np.full(shape, 51, np.uint8)
    with pytest.raises(BadInput, match=r"^images: an array of shape \[4, 6.*\] is one image; give a list"):
        model.predict(tensor(pixels))
    for images in ([tensor(pixels)], tensor(pixels[np.newaxis])):
        np.testing.assert_allclose(model.probabilities(images), [[0.2, 0.8]], rtol=1e-5)


def test_a_single_image_of_pillow_is_refused(model: Model) -> None:
    with pytest.raises(BadInput, match=r"^images: is one image of Pillow; give a list of images, such as \[image\]"):
        model.predict(Image.new("RGB", (4, 4)))


def test_floats_that_8_bits_lose_are_refused(tmp_path: Path, push_reader: Callable[..., None]) -> None:
    for number, pixels in enumerate((tf.uint8, tf.float32), 1):
        push_reader(tmp_path / str(number), pixels)
    of_8_bits, deep = load(tmp_path / "1"), load(tmp_path / "2")
    image = np.linspace(0, 255, 75, dtype=np.float32).reshape(5, 5, 3)  # as keras.utils.img_to_array gives it
    np.save(tmp_path / "a.npy", image)
    expected = r"has floats from 0 to 255; give float32 \(0 to 1\) or uint8 \(0 to 255\)"
    with pytest.raises(BadInput, match=f"^image 1: {expected}"):
        of_8_bits.predict([image / 255, image])
    with pytest.raises(BadInput, match=f"a.npy: {expected}"):
        of_8_bits.predict([tmp_path / "a.npy"])
    with pytest.raises(BadInput, match=r"^image 0: has floats from -1 to 1; give float32 \(0 to 1\)"):
        of_8_bits.predict([image / 127.5 - 1])
    assert len(of_8_bits.predict([image / 255, image / 255 + 1e-4])) == 2
    assert len(deep.predict([image])) == 1  # It may be trained on floats of any range.


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
