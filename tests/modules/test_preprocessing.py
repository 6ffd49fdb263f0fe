"""The Transform graph on a few records, run by Beam."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from PIL import Image

from efficientmixnet.components.image_example_gen.array_file import as_npy
from efficientmixnet.modules import features, preprocessing
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.class_weights import class_counts
from efficientmixnet.modules.preprocessing import preprocessing_fn

SPEC = {
    **{name: tf.io.FixedLenFeature([], tf.string) for name in features.BYTES_FEATURES},
    **{name: tf.io.FixedLenFeature([], tf.int64) for name in features.INT_FEATURES},
    **{name: tf.io.FixedLenFeature([3], tf.float32) for name in features.CHANNEL_FEATURES},
}
TRAINING = ["dog", "cat", "Zebra", "große Bären", "cat/tabby", "cat", "dog", "cat"]
EVALUATION = ["cat", "cow", "Zebra"]


def _pixels(number: int) -> np.ndarray:
    """An image larger than the transformed size, brighter for larger numbers, with a constant red channel."""
    pixels = np.full((20 + number, 30, 3), 20 * number, np.uint8)
    pixels[..., 0] = 51
    pixels[:10, :, 2] = 255
    return pixels


def _record(number: int, label: str) -> dict[str, object]:
    pixels = _pixels(number)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    flat = pixels.reshape(-1, 3) / 255
    return {
        features.ENCODED: file.getvalue(),
        features.LABEL: label.encode(),
        features.FILENAME: f"{label}/{number}.png".encode(),
        features.FORMAT: b"PNG",
        features.COLORSPACE: b"RGB",
        features.SIZE: b"16 to 31",
        features.HEIGHT: pixels.shape[0],
        features.WIDTH: pixels.shape[1],
        features.DEPTH: 16 if number == 3 else 8,
        features.CHANNEL_MEAN: flat.mean(axis=0).astype(np.float32),
        features.CHANNEL_MEAN_SQUARE: (flat**2).mean(axis=0).astype(np.float32),
    }


class Transformed:
    """The two splits after Transform, and its graph's folder."""

    def __init__(self, folder: Path) -> None:
        metadata = tft.DatasetMetadata.from_feature_spec(SPEC)
        splits = [[_record(i, label) for i, label in enumerate(labels)] for labels in (TRAINING, EVALUATION)]
        with tft_beam.Context(temp_dir=str(folder / "temporary")):
            transformed, graph = (splits[0], metadata) | tft_beam.AnalyzeAndTransformDataset(
                lambda inputs: preprocessing_fn(inputs, {"shorter_side": 16})
            )
            evaluation = ((splits[1], metadata), graph) | tft_beam.TransformDataset()
            graph | tft_beam.WriteTransformFn(str(folder / "graph"))
        self.training, self.evaluation = transformed[0], evaluation[0]
        self.output = tft.TFTransformOutput(str(folder / "graph"))


@pytest.fixture(scope="module")
def transformed(tmp_path_factory: pytest.TempPathFactory) -> Transformed:
    return Transformed(tmp_path_factory.mktemp("transform"))


def test_each_image_is_resized_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TFT runs the graph for the analyzers too, which need no pixels."""
    resized, shrink = [], images.shrink

    def counted(encoded: tf.Tensor, *args: int) -> tf.Tensor:
        noted = tf.numpy_function(lambda file: resized.append(file) or file, [encoded], tf.string)
        return shrink(tf.ensure_shape(noted, []), *args)

    monkeypatch.setattr(images, "shrink", counted)
    monkeypatch.setattr(preprocessing, "shrinking", preprocessing.shrinking.__wrapped__)
    Transformed(tmp_path)
    assert len(resized) == len(TRAINING) + len(EVALUATION)


def test_labels_are_numbered_alphabetically(transformed: Transformed) -> None:
    # By their UTF-8 bytes: capitals first, "cat" before "cat/tabby".
    alphabet = ["Zebra", "cat", "cat/tabby", "dog", "große Bären"]
    assert [record[features.LABEL_ID] for record in transformed.training] == [alphabet.index(x) for x in TRAINING]
    vocabulary = transformed.output.vocabulary_by_name(features.LABEL_VOCABULARY)
    assert [label.decode() for label in reversed(vocabulary)] == alphabet


def test_the_images_of_the_training_split_are_counted_by_label(transformed: Transformed) -> None:
    alphabet = ["Zebra", "cat", "cat/tabby", "dog", "große Bären"]
    np.testing.assert_array_equal(class_counts(transformed.output, alphabet), [1, 3, 1, 2, 1])


def test_an_unknown_label_becomes_minus_one(transformed: Transformed) -> None:
    assert [record[features.LABEL_ID] for record in transformed.evaluation] == [1, -1, 0]


def test_every_record_has_the_channel_statistics_of_the_training_split(transformed: Transformed) -> None:
    # All images have the same weight, regardless of their size.
    of_each = [(_pixels(i).reshape(-1, 3) / 255) for i in range(len(TRAINING))]
    mean = np.mean([pixels.mean(axis=0) for pixels in of_each], axis=0)
    variance = np.mean([((pixels - mean) ** 2).mean(axis=0) for pixels in of_each], axis=0)
    for record in (*transformed.training, *transformed.evaluation):
        np.testing.assert_allclose(record[features.CHANNEL_MEAN], mean, atol=1e-6)
        np.testing.assert_allclose(record[features.CHANNEL_DEVIATION][1:], np.sqrt(variance[1:]), rtol=1e-4)


def test_a_constant_channel_gets_a_small_deviation(transformed: Transformed) -> None:
    assert transformed.training[0][features.CHANNEL_DEVIATION][0] == pytest.approx(0.001)


def test_images_are_encoded_with_the_configured_shorter_side(transformed: Transformed) -> None:
    for number, record in enumerate(transformed.training):
        image = Image.open(io.BytesIO(record[features.ENCODED]))
        assert (image.format, min(image.size)) == ("PNG", 16)
        expected = Image.fromarray(_pixels(number)).resize(image.size, Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(image).astype(int) - np.asarray(expected)).max() <= 2


def test_the_file_name_is_kept(transformed: Transformed) -> None:
    assert transformed.evaluation[1][features.FILENAME] == b"cow/1.png"


def test_every_record_has_the_largest_depth_of_the_training_split(transformed: Transformed) -> None:
    assert {record[features.DEPTH] for record in (*transformed.training, *transformed.evaluation)} == {16}


def test_channels_of_any_number_and_range_get_their_own_statistics(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    # Two bands of small numbers, one of large ones, one that is constant and one that is zero.
    arrays = [draws.normal([1e-3, 0.3, 280, 7, 0], [1e-4, 0.1, 12, 0, 0], (30, 20, 5)).astype("f4") for _ in range(6)]
    channels = {name: tf.io.FixedLenFeature([5], tf.float32) for name in features.CHANNEL_FEATURES}
    records = [_record(number, "cat") for number in range(len(arrays))]
    for record, array in zip(records, arrays, strict=True):
        record[features.ENCODED] = as_npy(array)
        record[features.DEPTH] = 32
        record[features.CHANNEL_MEAN] = array.mean(axis=(0, 1))
        record[features.CHANNEL_MEAN_SQUARE] = (array.astype("f8") ** 2).mean(axis=(0, 1)).astype("f4")
    metadata = tft.DatasetMetadata.from_feature_spec(SPEC | channels)
    with tft_beam.Context(temp_dir=str(tmp_path)):
        (transformed, _), _ = (records, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, {"shorter_side": 16})
        )
    for record in transformed:
        np.testing.assert_allclose(record[features.CHANNEL_MEAN], [1e-3, 0.3, 280, 7, 0], rtol=0.02, atol=1e-9)
        deviation = record[features.CHANNEL_DEVIATION]
        np.testing.assert_allclose(deviation[:3], [1e-4, 0.1, 12], rtol=0.05)
        assert all(1e-7 < one < 0.01 for one in deviation[3:])
        small = np.load(io.BytesIO(record[features.ENCODED]))
        assert (small.shape, small.dtype, record[features.DEPTH]) == ((24, 16, 5), np.float32, 16)
