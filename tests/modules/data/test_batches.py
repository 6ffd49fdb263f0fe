"""Records become the same batches in every run, and in a resumed training."""

import io
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules import features
from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data.batches import Reading, evaluation_batches, evaluation_input, training_batches
from efficientmixnet.modules.data.records import Records

RECORDS = 26
CLASSES = 3
READING = Reading(image_size=8, crop_fraction=1.0, classes=CLASSES, batch_size=8)
PLAIN = AugmentationConfig(crop_scale=None, flip=False)
MOST = AugmentationConfig(
    crop_scale=(0.3, 1.0), randaugment_layers=1, erasing_probability=0.5, mixup_alpha=0.4, cutmix_alpha=1.0
)


def _example(number: int) -> bytes:
    """A gray image whose brightness is its number, and whose label is that number modulo three."""
    file = io.BytesIO()
    Image.new("L", (10, 8), number).save(file, "PNG")
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                features.ENCODED: tf.train.Feature(bytes_list=tf.train.BytesList(value=[file.getvalue()])),
                features.LABEL_ID: tf.train.Feature(int64_list=tf.train.Int64List(value=[number % CLASSES])),
                features.CHANNEL_MEAN: tf.train.Feature(float_list=tf.train.FloatList(value=[0.1, 0.2, 0.3])),
                features.CHANNEL_DEVIATION: tf.train.Feature(float_list=tf.train.FloatList(value=[0.4, 0.5, 0.6])),
            }
        )
    ).SerializeToString()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    folder = tmp_path_factory.mktemp("transformed")
    for shard in range(3):
        with tf.io.TFRecordWriter(f"{folder}/part-{shard}.gz", "GZIP") as writer:
            for number in range(shard, RECORDS, 3):
                writer.write(_example(number))
    return Records.find([f"{folder}/part-*.gz"])


def _batches(
    records: Records, epochs: range, seed: int = 0, augmentation: AugmentationConfig = PLAIN
) -> list[tuple[np.ndarray, np.ndarray]]:
    dataset = training_batches(records, READING, augmentation, seed, epochs)
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


def _numbers(batches: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
    """Returns the numbers of the records in the batches, in order."""
    return [int(image[0, 0, 0]) for images, _ in batches for image in images]


def _same(these: Any, those: Any) -> None:
    assert len(these) == len(those)
    for one, other in zip(these, those, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)


def test_all_records_of_all_files_are_counted(records: Records) -> None:
    assert (len(records.files), records.count) == (3, RECORDS)


def test_channel_statistics_come_from_a_record(records: Records) -> None:
    mean, deviation = records.channel_statistics()
    assert (mean, deviation) == (pytest.approx([0.1, 0.2, 0.3]), pytest.approx([0.4, 0.5, 0.6]))


def test_split_off_records_appear_in_no_training_batch(records: Records) -> None:
    others, held_out = records.split_off(5)
    assert (others.count, held_out.count) == (21, 5)  # places 0, 6, 11, 16 and 21
    held_out_numbers = _numbers([(images.numpy(), None) for images, _ in evaluation_batches(held_out, READING)])
    assert set(held_out_numbers) == {0, 18, 7, 22, 11}  # at these places: 3 files have every third number
    trained = _numbers(_batches(replace(others, cached=True), range(8)))
    assert set(trained) == set(range(RECORDS)) - set(held_out_numbers)


def test_an_epoch_has_only_full_batches(records: Records) -> None:
    batches = _batches(records, range(2))
    assert len(batches) == 2 * 3  # 26 records fill 3 batches of 8
    images, labels = batches[0]
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == ((8, 8, 8, 3), "uint8", (8, 3), "float32")


def test_an_image_keeps_its_label(records: Records) -> None:
    batches = _batches(records, range(1))
    labels = np.concatenate([labels for _, labels in batches])
    np.testing.assert_array_equal(labels, np.eye(CLASSES)[np.array(_numbers(batches)) % CLASSES])


def test_no_record_repeats_in_an_epoch_and_all_appear_over_several(records: Records) -> None:
    batches = _batches(records, range(8))
    epochs = [_numbers(batches[start : start + 3]) for start in range(0, len(batches), 3)]
    assert {len(set(numbers)) for numbers in epochs} == {24}
    assert set().union(*epochs) == set(range(RECORDS))


# In some functions of TensorFlow, a seed of 0 means no seed.
@pytest.mark.parametrize(("seed", "augmentation"), [(0, MOST), (3, PLAIN)], ids=["0, augmented", "3, plain"])
def test_a_seed_gives_the_same_batches_in_every_run(
    records: Records, seed: int, augmentation: AugmentationConfig
) -> None:
    dataset = training_batches(records, READING, augmentation, seed, range(2))
    first = [(images.numpy(), labels.numpy()) for images, labels in dataset]
    tf.random.set_seed(99)  # the global seed does not matter
    _same(_batches(records, range(2), seed, augmentation), first)
    _same([(images.numpy(), labels.numpy()) for images, labels in dataset], first)


@pytest.mark.parametrize("augmentation", [PLAIN, MOST], ids=["plain", "augmented"])
def test_a_training_resumed_at_the_third_epoch_sees_the_same_batches(
    records: Records, augmentation: AugmentationConfig
) -> None:
    whole = _batches(records, range(4), 5, augmentation)
    _same(_batches(records, range(2, 4), 5, augmentation), whole[2 * 3 :])


@pytest.mark.parametrize("augmentation", [PLAIN, MOST], ids=["plain", "augmented"])
def test_a_training_resumed_within_an_epoch_sees_the_same_batches(
    records: Records, augmentation: AugmentationConfig
) -> None:
    whole = _batches(records, range(3), 5, augmentation)
    rest = training_batches(records, READING, augmentation, 5, range(1, 3), steps_done=2)
    assert int(rest.cardinality()) == 4
    _same([(images.numpy(), labels.numpy()) for images, labels in rest], whole[3 + 2 :])


def test_workers_split_each_batch_without_overlap_or_loss(records: Records) -> None:
    whole = _batches(records, range(2), 5)
    parts = []
    for worker in range(4):
        reading = replace(READING, worker=worker, workers=4)
        batches = training_batches(records, reading, PLAIN, 5, range(2))
        parts.append([(images.numpy(), labels.numpy()) for images, labels in batches])
    assert [len(part) for part in parts] == [len(whole)] * 4
    for step, batch in enumerate(whole):
        assert [len(part[step][0]) for part in parts] == [2, 2, 2, 2]
        assert sorted(_numbers([part[step] for part in parts])) == sorted(_numbers([batch]))


def test_workers_augment_an_image_as_one_worker_does(records: Records) -> None:
    augmentation = AugmentationConfig(crop_scale=(0.3, 1.0), erasing_probability=0.5)
    ((whole, _), *_), parts = _batches(records, range(1), 5, augmentation), []
    for worker in range(2):
        reading = replace(READING, worker=worker, workers=2)
        ((images, _), *_) = training_batches(records, reading, augmentation, 5, range(1))
        parts.append(images.numpy())
    np.testing.assert_array_equal(np.stack(parts, axis=1).reshape(whole.shape), whole)


def test_workers_evaluate_every_record_once_in_the_same_number_of_batches(records: Records) -> None:
    """In batches of two or three, a worker with 7 of the 26 records would have one batch more than one with 6."""
    readings = [replace(READING, worker=worker, workers=4) for worker in range(4)]
    parts = [[batch.numpy() for batch, _ in evaluation_batches(records, reading)] for reading in readings]
    assert [[len(batch) for batch in part] for part in parts] == [[4, 3], [4, 3], [4, 2], [4, 2]]
    assert sorted(_numbers([(batch, None) for part in parts for batch in part])) == list(range(RECORDS))


def test_the_last_evaluation_batch_has_an_image_for_every_device(records: Records) -> None:
    """TensorFlow fills the first device's part of a batch, and gives the rest to the second one."""
    sizes = {
        devices: [
            len(labels) for _, labels in evaluation_batches(records, replace(READING, batch_size=20, devices=devices))
        ]
        for devices in (1, 2)
    }
    assert sizes == {
        1: [20, 6],
        2: [16, 10],
    }  # with batches of 20 or 18, the second device would get no image of the last one


def test_a_mixed_image_has_the_mean_weight_of_its_classes(records: Records) -> None:
    weights = [0.5, 1.0, 4.0]
    mixed = AugmentationConfig(mixup_alpha=0.4)
    weighted = training_batches(records, READING, mixed, 5, range(1), class_weights=weights)
    plain = _batches(records, range(1), 5, mixed)
    for (images, labels, weight), (same_images, same_labels) in zip(weighted, plain, strict=True):
        _same([(images.numpy(), labels.numpy())], [(same_images, same_labels)])
        by_hand = [sum(fraction * weights[number] for number, fraction in enumerate(label)) for label in same_labels]
        np.testing.assert_allclose(weight.numpy(), by_hand, rtol=1e-6)


def test_cached_records_give_the_same_batches(records: Records) -> None:
    cached = replace(records, cached=True)
    _same(_batches(cached, range(3), 5, MOST), _batches(records, range(3), 5, MOST))
    evaluated = [
        [(images.numpy(), labels.numpy()) for images, labels in evaluation_batches(one, READING)]
        for one in (cached, records)
    ]
    _same(*evaluated)


def test_cached_records_are_read_from_disk_once(records: Records, tmp_path: Path) -> None:
    copies = [shutil.copy(file, tmp_path) for file in records.files]
    batches = iter(training_batches(replace(records, files=tuple(copies), cached=True), READING, PLAIN, 0, range(9)))
    for _ in range(3):
        next(batches)
    for copy in copies:
        Path(copy).unlink()
    assert len(list(batches)) == 8 * 3


def test_cached_records_are_evaluated_from_memory_after_the_first_time(records: Records, tmp_path: Path) -> None:
    copies = [shutil.copy(file, tmp_path) for file in records.files]
    batches = evaluation_batches(replace(records, files=tuple(copies), cached=True), READING)

    def evaluate() -> list[np.ndarray]:  # like Keras, which asks for no batch after the last one
        return [images.numpy() for _, (images, _) in zip(range(int(batches.cardinality())), batches, strict=False)]

    first = evaluate()
    for copy in copies:
        Path(copy).unlink()
    np.testing.assert_array_equal(np.concatenate(evaluate()), np.concatenate(first))


def test_batches_do_not_wait_for_a_tuner_when_they_end(records: Records) -> None:
    for batches in (evaluation_batches(records, READING), training_batches(records, READING, PLAIN, 0, range(1))):
        assert batches.options().autotune.enabled is False


def test_all_processors_decode_and_augment(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def record(dataset: tf.data.Dataset, function: Any, num_parallel_calls: int | None = None) -> tf.data.Dataset:
        at_once.append(num_parallel_calls)
        return dataset_map(dataset, function, num_parallel_calls)

    at_once: list[int | None] = []
    dataset_map = tf.data.Dataset.map
    monkeypatch.setattr(tf.data.Dataset, "map", record)
    list(evaluation_batches(replace(records, cached=True), READING).take(1))
    list(training_batches(records, READING, MOST, 0, range(1)).take(1))
    assert {one for one in at_once if one is not None} == {os.cpu_count()}


def test_decoded_bytes_are_those_of_the_pixels(records: Records) -> None:
    assert records.decoded_bytes() == RECORDS * 10 * 8 * 3


def test_epochs_and_seeds_have_different_orders(records: Records) -> None:
    batches, others = _batches(records, range(2), seed=0), _batches(records, range(1), seed=7)
    orders = [_numbers(batches[:3]), _numbers(batches[3:]), _numbers(others)]
    assert len({tuple(order) for order in orders}) == 3
    assert sorted(orders[0]) != orders[0]


def test_an_image_is_augmented_differently_in_every_epoch_and_at_every_position(records: Records) -> None:
    erased = AugmentationConfig(crop_scale=None, flip=False, erasing_probability=1.0)
    batches = _batches(records, range(2), augmentation=erased)
    orders, masks = [], []
    for epoch in (batches[:3], batches[3:]):
        images = np.concatenate([images for images, _ in epoch])
        # Each image has one color, its number, which is the most frequent one. Other pixels were erased.
        orders.append([int(np.bincount(image.ravel()).argmax()) for image in images])
        masks.append([(image != number).tobytes() for number, image in zip(orders[-1], images, strict=True)])
    of_image = [dict(zip(order, mask, strict=True)) for order, mask in zip(orders, masks, strict=True)]
    both = of_image[0].keys() & of_image[1].keys()
    assert sum(of_image[0][number] != of_image[1][number] for number in both) > len(both) / 2 > 5
    assert sum(first != second for first, second in zip(*masks, strict=True)) > len(masks[0]) / 2


@pytest.mark.parametrize("kind", ["mixup_alpha", "cutmix_alpha"])
def test_mixed_labels_sum_to_one_and_follow_the_images(records: Records, kind: str) -> None:
    mixing = AugmentationConfig(crop_scale=None, flip=False, **{kind: 1.0})
    plain, mixed = _batches(records, range(1)), _batches(records, range(1), augmentation=mixing)
    labels = np.concatenate([labels for _, labels in mixed])
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    assert ((labels > 0) & (labels < 1)).any()
    for (before, own), (after, labels) in zip(plain, mixed, strict=True):
        # Both images of a mix have one color, so its mean shows the fraction of each.
        numbers, partners = before[:, 0, 0, 0].astype(float), np.roll(before[:, 0, 0, 0], 1).astype(float)
        differ = (own != np.roll(own, 1, axis=0)).any(axis=1)  # the label shows nothing if both have the same class
        weight = (labels * own).sum(axis=1)
        expected = weight * numbers + (1 - weight) * partners
        np.testing.assert_allclose(after.mean(axis=(1, 2, 3))[differ], expected[differ], atol=0.51)


def test_evaluation_reads_every_record_once_in_a_fixed_order(records: Records) -> None:
    dataset = evaluation_batches(records, READING)
    first, second = ([(images.numpy(), labels.numpy()) for images, labels in dataset] for _ in range(2))
    _same(first, second)
    assert [len(images) for images, _ in first] == [8, 8, 8, 2]
    assert sorted(_numbers(first)) == list(range(RECORDS))
    labels = np.concatenate([labels for _, labels in first])
    np.testing.assert_array_equal(labels, np.eye(CLASSES)[np.array(_numbers(first)) % CLASSES])


def test_an_unknown_label_has_no_class(tmp_path: Path) -> None:
    example = tf.train.Example.FromString(_example(7))
    example.features.feature[features.LABEL_ID].int64_list.value[:] = [-1]
    with tf.io.TFRecordWriter(f"{tmp_path}/one.gz", "GZIP") as writer:
        writer.write(example.SerializeToString())
    ((_, labels),) = evaluation_batches(Records.find([f"{tmp_path}/one.gz"]), READING)
    assert labels.numpy().tolist() == [[0, 0, 0]]


def test_evaluation_crops_the_center_of_an_image() -> None:
    pixels = np.zeros((8, 20, 3), np.uint8)
    pixels[:, 6:14] = np.arange(8)[:, None, None] * 30
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    np.testing.assert_array_equal(evaluation_input(tf.constant(file.getvalue()), READING), pixels[:, 6:14])


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("augmentation", [PLAIN, MOST])
def test_batches_of_deep_images_keep_16_bits(tmp_path: Path, cached: bool, augmentation: AugmentationConfig) -> None:
    levels = np.linspace(25700, 25956, 8 * 8, dtype=np.uint16).reshape(8, 8, 1)  # within one level of a byte
    example = tf.train.Example.FromString(_example(0))
    example.features.feature[features.ENCODED].bytes_list.value[0] = tf.io.encode_png(levels).numpy()
    example.features.feature[features.DEPTH].int64_list.value.append(16)
    with tf.io.TFRecordWriter(f"{tmp_path}/part-0.gz", "GZIP") as writer:
        for _ in range(8):
            writer.write(example.SerializeToString())
    records = replace(Records.find([f"{tmp_path}/part-*.gz"]), cached=cached)
    assert records.deep
    assert records.decoded_bytes() == 8 * 8 * 8 * 3 * 4
    reading = replace(READING, deep=records.deep)
    (images, _), *_ = evaluation_batches(records, reading)
    assert images.dtype == tf.float32
    np.testing.assert_allclose(images[0, ..., :1] * 257, levels, atol=0.01)
    (images, _), *_ = training_batches(records, reading, augmentation, seed=0, epochs=range(1))
    assert images.dtype == tf.float32
    assert len(np.unique(images)) > 8


def test_records_without_a_depth_have_8_bits(records: Records) -> None:
    assert not records.deep


@pytest.mark.parametrize("augmentation", [PLAIN, MOST], ids=["plain", "augmented"])
def test_workers_with_own_files_see_equal_batches_of_different_images(
    records: Records, augmentation: AugmentationConfig
) -> None:
    readings = [replace(READING, worker=worker, workers=2, own_files=True) for worker in range(2)]
    parts = [
        [
            (images.numpy(), labels.numpy())
            for images, labels in training_batches(records, one, augmentation, 5, range(4))
        ]
        for one in readings
    ]
    assert [[len(images) for images, _ in part] for part in parts] == [[4] * 12] * 2
    if augmentation is PLAIN:
        epochs = [[_numbers(part[start : start + 3]) for part in parts] for start in range(0, 12, 3)]
        for one, other in epochs:
            assert len({*one, *other}) == 24
        assert len({tuple(one) for one, _ in epochs}) == 4
        assert set().union(*(one for one, _ in epochs)) > set(epochs[0][0])
    for reading, part in zip(readings, parts, strict=True):  # resumed within the second epoch
        rest = training_batches(records, reading, augmentation, 5, range(1, 4), steps_done=2)
        _same([(images.numpy(), labels.numpy()) for images, labels in rest], part[5:])


def test_workers_with_own_files_evaluate_every_record_once_in_the_same_number_of_batches(records: Records) -> None:
    readings = [replace(READING, worker=worker, workers=4, own_files=True) for worker in range(4)]
    parts = [[batch.numpy() for batch, _ in evaluation_batches(records, reading)] for reading in readings]
    assert [[len(batch) for batch in part] for part in parts] == [[4, 3], [4, 3], [4, 2], [4, 2]]
    assert sorted(_numbers([(batch, None) for part in parts for batch in part])) == list(range(RECORDS))
