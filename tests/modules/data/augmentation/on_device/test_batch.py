"""On the device, a batch is augmented as on the CPU, with TensorFlow and with JAX."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from efficientmixnet.modules import features
from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data.augmentation.on_device.batch import augment_batch
from efficientmixnet.modules.data.augmentation.on_device.draws import PIXELS, draw_for_batch, draw_for_image
from efficientmixnet.modules.data.batches import Reading, training_batches
from efficientmixnet.modules.data.records import Records

CLASSES, BATCH = 3, 16
READING = Reading(image_size=24, crop_fraction=1.0, classes=CLASSES, batch_size=BATCH)
OPERATIONS = {
    "flip": AugmentationConfig(crop_scale=(0.3, 1.0)),
    "RandAugment": AugmentationConfig(crop_scale=None, flip=False, randaugment_layers=2),
    "erasing": AugmentationConfig(crop_scale=None, flip=False, erasing_probability=0.6),
    "mixup": AugmentationConfig(crop_scale=None, flip=False, mixup_alpha=0.4),
    "CutMix": AugmentationConfig(crop_scale=None, flip=False, cutmix_alpha=1.0),
    "all": AugmentationConfig(randaugment_layers=1, erasing_probability=0.3, mixup_alpha=0.4, cutmix_alpha=1.0),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    folder, draw = tmp_path_factory.mktemp("records"), np.random.default_rng(0)
    with tf.io.TFRecordWriter(f"{folder}/part.gz", "GZIP") as writer:
        for number in range(2 * BATCH + 3):
            soft = draw.normal(130, 30, (26, 30, 3)).cumsum(0) % 256
            writer.write(_example(soft.astype("uint8"), number % CLASSES))
    return Records.find([f"{folder}/part.gz"])


def _example(pixels: np.ndarray, label: int) -> bytes:
    file, example = io.BytesIO(), tf.train.Example()
    Image.fromarray(pixels).save(file, "PNG")
    example.features.feature[features.ENCODED].bytes_list.value.append(file.getvalue())
    example.features.feature[features.LABEL_ID].int64_list.value.append(label)
    return example.SerializeToString()


def _with_jax(folder: Path, drawn: dict, labels: np.ndarray, magnitude: float) -> tuple[np.ndarray, np.ndarray]:
    program = Path(__file__).with_name("augment_on_another_backend.py")
    given, found = folder / "given.npz", folder / "found.npz"
    np.savez(given, MAGNITUDE=magnitude, LABELS=labels, **{name: np.asarray(one) for name, one in drawn.items()})
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, program, given, found], env=environment, check=True, timeout=300)  # noqa: S603
    with np.load(found) as file:
        return file["IMAGES"], file["LABELS"]


@pytest.mark.parametrize(
    ("backend", "name"), [*(("tensorflow", name) for name in OPERATIONS), ("jax", "RandAugment"), ("jax", "all")]
)
def test_a_batch_is_augmented_as_on_the_cpu(records: Records, tmp_path: Path, backend: str, name: str) -> None:
    augmentation = OPERATIONS[name]
    on_cpu = training_batches(records, READING, augmentation, 5, range(2))
    to_augment = training_batches(records, replace(READING, augments=False), augmentation, 5, range(2))
    (images, labels), (drawn, plain_labels) = (list(batches)[3] for batches in (on_cpu, to_augment))
    if backend == "jax":
        pytest.importorskip("jax")
        ours, our_labels = _with_jax(tmp_path, drawn, plain_labels.numpy(), augmentation.randaugment_magnitude)
    else:
        ours, our_labels = (
            one.numpy() for one in augment_batch((drawn, plain_labels), augmentation.randaugment_magnitude)
        )
    np.testing.assert_allclose(our_labels, labels, atol=1e-6)
    assert ours.dtype == np.uint8
    difference = np.abs(ours.astype(int) - images.numpy())
    if "erased" in drawn:  # the noise differs
        boxes = _boxes(drawn["erased"].numpy())
        assert boxes.any()
        assert difference[boxes].mean() > 10
        boxes |= np.roll(boxes, 1, axis=0)  # mixing may take it from the partner
        difference = difference[~boxes]
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 0.02


def _boxes(erased: np.ndarray) -> np.ndarray:
    """Returns the erased pixels, bool [B, H, W]."""
    found = np.zeros((len(erased), READING.image_size, READING.image_size), bool)
    for image, (top, bottom, left, right) in zip(found, erased, strict=True):
        image[top:bottom, left:right] = True
    return found


def test_weights_are_mixed_like_the_labels() -> None:
    pixels, labels = tf.zeros([4, 8, 8, 3], tf.uint8), tf.one_hot([0, 1, 2, 0], CLASSES)
    drawn = draw_for_batch(4, [1, 2], OPERATIONS["mixup"])
    of_class = tf.constant([1.0, 3.0, 10.0])
    _, mixed, weights = augment_batch(({PIXELS: pixels, **drawn}, labels, tf.linalg.matvec(labels, of_class)), 0.0)
    np.testing.assert_allclose(weights, tf.linalg.matvec(mixed, of_class), rtol=1e-6)


def test_the_numbers_are_distributed_as_the_papers_say() -> None:
    augmentation = OPERATIONS["all"]
    images = tf.data.Dataset.range(3000).map(lambda number: draw_for_image(32, [3, number], augmentation))
    drawn = next(iter(images.batch(3000)))
    assert stats.binomtest(int(tf.math.count_nonzero(drawn["flipped"])), 3000).pvalue > 1e-4
    assert stats.chisquare(np.bincount(drawn["chosen"][:, 0], minlength=14)).pvalue > 1e-4
    assert stats.binomtest(int(tf.math.count_nonzero(drawn["direction"] > 0)), 3000).pvalue > 1e-4
    erased = tf.reduce_any(drawn["erased"] > 0, axis=1).numpy()
    assert stats.binomtest(int(erased.sum()), 3000, augmentation.erasing_probability).pvalue > 1e-4
    # With 32 pixels, the mean area of 0.02 to 1/3 is 0.177. Tall and wide rectangles are cut off at the image.
    assert _boxes(drawn["erased"].numpy()[erased] * 24 // 32).mean() == pytest.approx(0.17, abs=0.02)
    mixup = draw_for_batch(3000, [3, -1], OPERATIONS["mixup"])
    assert stats.kstest(mixup["weight"], stats.beta(0.4, 0.4).cdf).pvalue > 1e-4
    assert not np.any(mixup["cut"])
    cutmix = draw_for_batch(3000, [3, -2], OPERATIONS["CutMix"])
    assert stats.kstest(cutmix["cut"] ** 2, "uniform").pvalue > 1e-4
    assert stats.kstest(cutmix["middle"][:, 1], "uniform").pvalue > 1e-4


def test_the_noise_of_erasing_is_uniform_and_another_one_for_each_seed() -> None:
    boxes = tf.constant([[2, 22, 4, 20], [0, 0, 0, 0]])

    def erased(number: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = {PIXELS: tf.zeros([2, 24, 24, 3], tf.uint8), "erased": boxes}
        images, _ = augment_batch(({**drawn, "noise_seed": tf.constant([[7, number], [7, 9]])}, tf.eye(2)), 0.0)
        return images.numpy()[0, 2:22, 4:20], images.numpy()[1]

    noise, other = erased(1)
    assert not other.any()
    counts = np.bincount(noise.ravel() // 16, minlength=16)
    assert stats.chisquare(counts).pvalue > 1e-4
    np.testing.assert_array_equal(erased(1)[0], noise)
    assert np.mean(erased(2)[0] == noise) < 0.02


def test_a_training_resumed_within_an_epoch_draws_the_same_numbers(records: Records) -> None:
    reading = replace(READING, augments=False)
    whole = list(training_batches(records, reading, OPERATIONS["all"], 5, range(2)))
    resumed = list(training_batches(records, reading, OPERATIONS["all"], 5, range(1, 2), steps_done=1))
    assert (len(whole), len(resumed)) == (4, 1)
    tf.nest.map_structure(np.testing.assert_array_equal, resumed[0], whole[3])


def test_workers_draw_the_numbers_of_one_worker_for_the_same_images(records: Records) -> None:
    reading = replace(READING, augments=False)
    augmentation = OPERATIONS["RandAugment"]
    whole, _ = next(iter(training_batches(records, reading, augmentation, 5, range(1))))
    for worker in range(2):
        part = training_batches(records, replace(reading, worker=worker, workers=2), augmentation, 5, range(1))
        for name, numbers in next(iter(part))[0].items():
            np.testing.assert_array_equal(numbers, whole[name][worker::2])
