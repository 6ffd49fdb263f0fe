"""The check of the exported model before a push: it agrees with training, differs, or fails."""

import io
import signal
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tfx.types import standard_artifacts

from efficientmixnet.components.image_example_gen.entry import Entry
from efficientmixnet.components.image_example_gen.originals import write_originals
from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.components.serving_check import component
from efficientmixnet.components.serving_check.component import compare_with_training, training_inputs
from efficientmixnet.modules import features
from efficientmixnet.modules.data.batches import Reading
from efficientmixnet.modules.data.images import shrink


class Exported(tf.Module):
    """A model that predicts by brightness. Its signatures differ from its network by `error`."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self._error = tf.constant(error)

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 3], tf.uint8)])
    def classify_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        bright = tf.reduce_mean(tf.cast(inputs, tf.float32) / 255, [1, 2, 3])
        return tf.stack([bright, 1 - bright], axis=1)

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        return tf.constant(["bright", "dark"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def images(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = tf.map_fn(lambda one: tf.io.decode_png(one, 3), images, fn_output_signature=tf.uint8)
        probabilities = self.classify_inputs(tf.ensure_shape(inputs, [None, 4, 4, 3]))
        predicted = tf.gather(self.class_labels(), tf.argmax(probabilities, axis=1))
        return {"probabilities": probabilities + self._error, "labels": predicted}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {features.ENCODED: tf.io.FixedLenFeature([], tf.string)})
        return self.images(parsed[features.ENCODED])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {features.LABEL_ID: tf.zeros(tf.shape(examples), tf.int64)}


def save(folder, error: float, signatures: int = 3) -> str:
    model = Exported(error)
    every = {
        "serving_default": model.images,
        "serving_examples": model.examples,
        "transform_features": model.transform,
    }
    tf.saved_model.save(model, str(folder), signatures=dict(list(every.items())[:signatures]))
    return str(folder)


@pytest.fixture(scope="module")
def checked() -> list[tuple[bytes, np.ndarray, int]]:
    images = []
    for value in (10, 200):
        pixels = np.full((4, 4, 3), value, np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        example = tf.train.Example()
        example.features.feature[features.ENCODED].bytes_list.value.append(file.getvalue())
        images.append((example.SerializeToString(), pixels, 0))
    return images


def test_every_signature_agrees_with_training(checked, tmp_path):
    differences = compare_with_training(save(tmp_path, 0.0), checked)
    assert differences == pytest.approx(
        {"serving_default": 0, "serving_examples": 0, "transform_features": 0}, abs=1e-6
    )


def _with_original(record: bytes, kind: str, original: bytes) -> bytes:
    example = tf.train.Example.FromString(record)
    for name, value in ((features.FORMAT, kind.encode()), (features.ORIGINAL, original)):
        example.features.feature[name].bytes_list.value.append(value)
    return example.SerializeToString()


def test_original_files_are_compared_or_refused(checked, tmp_path):
    (first, seen, number), (second, other, _) = checked
    dark, bright = (tf.train.Example.FromString(one).features.feature[features.ENCODED] for one in (first, second))
    images = [
        (_with_original(first, "PNG", dark.bytes_list.value[0]), seen, number),
        (_with_original(first, "BMP", bright.bytes_list.value[0]), seen, number),  # the model sees other pixels
        (_with_original(second, "WEBP", b"RIFF"), other, number),  # the model cannot read it
    ]
    differences = compare_with_training(save(tmp_path, 0.0), images)
    assert differences["serving_default with PNG"] == pytest.approx(0, abs=1e-6)
    assert differences["serving_default with BMP"] == pytest.approx(190 / 255, abs=1e-6)
    assert not any("WEBP" in name for name in differences)


def test_a_model_that_refuses_jpeg_or_png_fails(checked, tmp_path):
    images = [(_with_original(record, "JPEG", b"no image"), inputs, number) for record, inputs, number in checked]
    with pytest.raises(RuntimeError, match="cannot run the exported model"):
        compare_with_training(save(tmp_path, 0.0), images)


def test_the_difference_of_each_signature_is_reported(checked, tmp_path):
    images = [(example, inputs, 1) for example, inputs, _ in checked]
    differences = compare_with_training(save(tmp_path, 0.25), images)
    assert differences["serving_default"] == pytest.approx(0.25, abs=1e-6)
    assert differences["transform_features"] == 1


def test_a_model_without_a_signature_is_refused(checked, tmp_path):
    with pytest.raises(RuntimeError, match="cannot run the exported model: KeyError: 'transform_features'"):
        compare_with_training(save(tmp_path, 0.0, signatures=2), checked)


def _started(monkeypatch) -> list[subprocess.Popen]:
    """Returns a list that gets the processes that are started from now on."""
    started, start = [], component._started_probe
    monkeypatch.setattr(component, "_started_probe", lambda *args: started.append(start(*args)) or started[-1])
    return started


def test_images_are_read_while_the_model_is_loaded(checked, tmp_path, monkeypatch):
    started = _started(monkeypatch)

    def images():
        assert started[0].poll() is None
        yield from checked

    assert compare_with_training(save(tmp_path, 0.0), images())["serving_default"] == pytest.approx(0, abs=1e-6)


def test_no_process_is_left_if_the_images_cannot_be_read(tmp_path, monkeypatch):
    def images():
        raise OSError("no such disk")
        yield

    started = _started(monkeypatch)
    with pytest.raises(OSError, match="no such disk"):
        compare_with_training(save(tmp_path, 0.0), images())
    assert started[0].returncode == -signal.SIGKILL


def _record(name: str, encoded: bytes, label_id: int | None = None) -> bytes:
    example = tf.train.Example()
    example.features.feature[features.FILENAME].bytes_list.value.append(name.encode())
    example.features.feature[features.ENCODED].bytes_list.value.append(encoded)
    if label_id is not None:
        example.features.feature[features.LABEL_ID].int64_list.value.append(label_id)
    return example.SerializeToString(deterministic=True)


def _examples(folder, records: list[bytes]) -> standard_artifacts.Examples:
    (folder / "Split-eval").mkdir(parents=True)
    with RecordFile(str(folder / "Split-eval" / "images.gz")) as file:
        for record in records:
            file.write(record)
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = str(folder), '["eval"]'
    return examples


def test_one_original_of_each_format_is_checked(tmp_path):
    def image(value: int) -> bytes:
        return tf.io.encode_png(np.full((4, 4, 3), value, np.uint8)).numpy()

    names = [f"{number:02d}" for number in range(12)]
    now = _examples(tmp_path / "now", [_record(name, image(10 + int(name))) for name in names])
    entries = []
    for name, kind in (("09", "GIF"), ("11", "TIFF"), ("10", "GIF")):
        file = tmp_path / f"{name}.{kind}"
        file.write_bytes(kind.encode())
        record = tf.train.Example.FromString(_record(name, image(10 + int(name))))
        record.features.feature[features.FORMAT].bytes_list.value.append(kind.encode())
        entries.append((Entry(str(file), name, ""), record.SerializeToString()))
    write_originals(now.uri, "images-0.gz", entries)
    then = _examples(tmp_path / "then", [_record(name, image(10 + int(name)), 0) for name in names])
    reading = Reading(image_size=4, crop_fraction=1.0, classes=0, batch_size=8)
    found = [
        (tf.train.Example.FromString(record), int(seen.mean()))
        for record, seen, _ in training_inputs(now, then, reading, 4)
    ]
    originals = {
        one.features.feature[features.ORIGINAL].bytes_list.value[0]: mean
        for one, mean in found
        if features.ORIGINAL in one.features.feature
    }
    assert originals == {b"GIF": 19, b"TIFF": 21}
    assert sorted(mean for _, mean in found) == [*range(10, 18), 19, 21]


def test_images_of_other_spans_with_the_same_names_are_not_used(tmp_path):
    def image(value: int) -> bytes:
        return tf.io.encode_png(np.full((8, 8, 3), value, np.uint8)).numpy()

    def transformed(value: int) -> bytes:
        return shrink(tf.constant(image(value)), 4).numpy()

    now = _examples(tmp_path / "now", [_record("a", image(10)), _record("b", image(20))])
    of_both = [
        _record("a", transformed(30), 3),  # of another span, with the same name
        _record("a", transformed(10), 1),
        _record("c", transformed(40), 4),
        _record("b", transformed(20), 2),
        _record("a", transformed(50), 5),
    ]
    reading = Reading(image_size=4, crop_fraction=1.0, classes=0, batch_size=8)
    found = list(training_inputs(now, _examples(tmp_path / "both", of_both), reading, 4))
    assert [(int(seen.mean()), seen.shape, label_id) for _, seen, label_id in found] == [
        (10, (4, 4, 3), 1), (20, (4, 4, 3), 2),
    ]  # fmt: skip
    assert [record for record, _, _ in found] == [_record("a", image(10)), _record("b", image(20))]
