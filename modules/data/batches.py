"""training_batches and evaluation_batches: tf.data pipelines from transformed records to batches.

The order and the augmentation of an epoch depend only on the seed and the number of the epoch. So a resumed training
sees the same batches as one that never stopped.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from efficientmixnet.modules import features
from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.augmentation import augment_image, mix_images
from efficientmixnet.modules.data.augmentation.on_device.draws import PIXELS, draw_for_batch, draw_for_image
from efficientmixnet.modules.data.record_counts import RecordCounts, read_counts
from efficientmixnet.modules.data.shares import RecordFiles, evaluation_share, records_in_files, training_share

SHUFFLE_BUFFER = 8192  # encoded images: about 200 MB for photographs of 256 pixels

Images: TypeAlias = tf.Tensor | dict[str, tf.Tensor]  # the dictionary also has random numbers

_AT_ONCE = os.cpu_count() or 1  # calls of a function; without its tuner, TensorFlow would use at most 16
_SAMPLE = 64  # records
_PARSE_BATCH = 64  # records

_FEATURE_SPEC = {
    features.ENCODED: tf.io.FixedLenFeature([], tf.string),
    features.LABEL_ID: tf.io.FixedLenFeature([], tf.int64),
}
_DEPTH_SPEC = {features.DEPTH: tf.io.FixedLenFeature([], tf.int64, 8)}
_STATISTICS_SPEC = {
    name: tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True)  # [channels]
    for name in (features.CHANNEL_MEAN, features.CHANNEL_DEVIATION)
}


@dataclass(frozen=True)
class Reading:
    """How the records of a split become batches."""

    image_size: int  # pixels
    crop_fraction: float  # of the shorter side, in evaluation
    classes: int
    batch_size: int  # of all workers together
    worker: int = 0  # the index of this worker
    workers: int = 1  # each has an equal part of every batch
    own_files: bool = False  # whether each worker reads its own files, instead of all records
    devices: int = 1  # of each worker
    deep: bool = False  # whether the training split has images of 16 bits, so that pixels are float32 instead of uint8
    augments: bool = True  # whether training batches are augmented; if not, they contain the random numbers to do it
    channels: int = 3


@dataclass(frozen=True)
class Records:
    """The records of one split."""

    files: tuple[str, ...]
    count: int
    cached: bool = False  # whether decoded images stay in memory after the first pass
    deep: bool = False  # as in Reading
    every: int | None = None  # with n: only every n-th record of the files, or all others
    others: bool = False
    in_files: tuple[int, ...] = ()  # the number of records in each file
    channels: int = 3

    @classmethod
    def find(cls, patterns: Sequence[str]) -> "Records":
        """Finds the files that match the patterns, and counts their records.

        Raises:
            BadInput: Files were deleted or changed after Transform wrote them.
        """
        counts: dict[str, int] = {}
        for pattern in patterns:
            counts |= _counts(pattern)
        files = tuple(sorted(counts))
        count = sum(counts.values())
        in_files = tuple(counts[file] for file in files)
        if not count:
            return cls(files, count, in_files=in_files)
        first = next(iter(RecordFiles(files, ()).read()))
        return cls(files, count, deep=is_deep(first), in_files=in_files, channels=channels_of(first))

    def split_off(self, count: int) -> tuple["Records", "Records"]:
        """Splits off about `count` records, evenly spread. Returns the others, and these."""
        every = self.count // count
        fewer = -(-self.count // every)
        return (
            replace(self, count=self.count - fewer, every=every, others=True),
            replace(self, count=fewer, every=every),
        )

    def decoded_bytes(self) -> int:
        """Estimates the bytes of all decoded images from a sample of the records."""
        sample = _parsed(self.record_files.read()).take(_SAMPLE)
        sizes = [images.decode_stored(encoded, self.deep, self.channels).numpy().nbytes for encoded, _ in sample]
        return round(self.count * float(np.mean(sizes)))

    def channel_statistics(self) -> tuple[list[float], list[float]]:
        """Returns the training split's mean and deviation of each channel, where white is 1. Every record has them."""
        first = tf.io.parse_single_example(next(iter(self.record_files.read())), _STATISTICS_SPEC)
        return first[features.CHANNEL_MEAN].numpy().tolist(), first[features.CHANNEL_DEVIATION].numpy().tolist()

    def images(self) -> tf.data.Dataset:
        """Returns images with their class ids, int64 []: pixels [height, width, channels] if cached, else bytes []."""
        examples = _parsed(self.record_files.read()).take(self.count)  # before the cache, which must see the end
        if not self.cached:
            return examples
        decoded = examples.map(
            lambda encoded, label: (images.decode_stored(encoded, self.deep, self.channels), label),
            num_parallel_calls=_AT_ONCE,
        )
        return decoded.cache()

    @property
    def record_files(self) -> RecordFiles:
        """The files, and which of their records to read."""
        return RecordFiles(self.files, self.in_files, self.every, self.others)


def training_batches(
    records: Records,
    reading: Reading,
    augmentation: AugmentationConfig,
    seed: int,
    epochs: range,
    steps_done: int = 0,
    class_weights: Sequence[float] | None = None,
) -> tf.data.Dataset:
    """Returns the training batches of these epochs. Each epoch has `records.count // batch_size` steps.

    With several workers, each worker has every n-th image of the same order. Together they see the batches that one
    worker would see. With `own_files`, each worker has another part of the images in every epoch, in its own order.

    Args:
        records: The training split.
        reading: The sizes, and this worker's place among the workers.
        augmentation: The section `training.augmentation`.
        seed: The seed of the order and the augmentation.
        epochs: The epochs to train, counted from 0.
        steps_done: How many steps of the first epoch to skip.
        class_weights: What to multiply the loss by for each class; None: nothing.

    Returns:
        A dataset of images [batch, size, size, channels], float32 labels [batch, classes], and, with class_weights,
        float32 weights [batch]. Images are uint8, or, if they are deep, float32 from 0 to 255. If `reading.augments` is
        false, a dictionary of the images and the random numbers for `augment_batch` takes the place of the images.
    """
    source = records.images()
    steps_per_epoch = records.count // reading.batch_size
    own_batch = reading.batch_size // reading.workers

    def of_all(epoch: tf.Tensor, first_step: tf.Tensor) -> tf.data.Dataset:
        return (
            source.shuffle(min(records.count, SHUFFLE_BUFFER), seed=seed + epoch)
            .enumerate()
            .take(steps_per_epoch * reading.batch_size)
            .skip(first_step * reading.batch_size)
            .shard(reading.workers, reading.worker)
        )

    def of_own_files(epoch: tf.Tensor, first_step: tf.Tensor) -> tf.data.Dataset:
        own = steps_per_epoch * own_batch
        share = training_share(records.record_files, reading.worker, own, [seed, epoch])
        shuffled = _parsed(share).shuffle(min(own, SHUFFLE_BUFFER), seed=seed + epoch)
        return shuffled.enumerate(reading.worker * own).skip(first_step * own_batch)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        # Sets the seed of this function's graph. With a global seed of 0, shuffle does not accept a tensor as a seed.
        tf.random.set_seed(1)

        def augmented(position: tf.Tensor, example: tuple[tf.Tensor, tf.Tensor]) -> tuple[Images, tf.Tensor]:
            image, label = example
            return _augmented(image, reading, augmentation, [seed, epoch * records.count + position]), label

        def one_hot(images: Images, labels: tf.Tensor) -> tuple[Images, tf.Tensor]:
            return images, tf.one_hot(labels, reading.classes)

        def mixed(step: tf.Tensor, batch: tuple[Images, tf.Tensor]) -> tuple[Images, tf.Tensor]:
            # Batches have negative numbers, so that no batch shares a seed with an image.
            number = -1 - epoch * records.count - step * reading.workers - reading.worker
            return _mixed(*batch, reading, augmentation, [seed, number])

        first_step = tf.where(epoch == epochs.start, tf.constant(steps_done, tf.int64), 0)
        examples = (of_own_files if reading.own_files else of_all)(epoch, first_step)
        batches = (
            examples.map(augmented, num_parallel_calls=_AT_ONCE).batch(own_batch, drop_remainder=True).map(one_hot)
        )
        if augmentation.mixup_alpha or augmentation.cutmix_alpha:
            batches = batches.enumerate(first_step).map(mixed, num_parallel_calls=_AT_ONCE)
        return batches

    def weighted(images: Images, labels: tf.Tensor) -> tuple[Images, tf.Tensor, tf.Tensor]:
        return images, labels, tf.linalg.matvec(labels, tf.constant(class_weights, tf.float32))

    batches = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(epoch_batches)
    if class_weights is not None:
        batches = batches.map(weighted)
    return _counted(batches, len(epochs) * steps_per_epoch - steps_done)


def evaluation_batches(records: Records, reading: Reading) -> tf.data.Dataset:
    """Returns all records once, in order.

    With several workers, each gets the same number of batches. The last batch may be smaller.

    Returns:
        A dataset of images [batch, size, size, channels] and float32 labels [batch, classes]. Images are uint8, or, if
        they are deep, float32 from 0 to 255.
    """

    def whole(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return evaluation_input(image, reading), tf.one_hot(label, reading.classes)

    if reading.own_files:
        own = _parsed(evaluation_share(records.record_files, reading.worker, reading.workers))
    else:
        own = records.images().shard(reading.workers, reading.worker)
    images = own.map(whole, num_parallel_calls=_AT_ONCE)
    batch_size = evaluation_batch_size(records.count, reading)
    return _counted(images.batch(batch_size), math.ceil(math.ceil(records.count / reading.workers) / batch_size))


def evaluation_batch_size(count: int, reading: Reading) -> int:
    """Returns a worker's batch size: that of training, or the nearest one that TensorFlow can evaluate.

    All workers need the same number of batches, or some would wait forever. And the last batch needs an image for each
    device, because convolutions on CPUs fail on an empty batch.
    """
    most, devices = reading.batch_size // reading.workers, reading.devices
    fewest, largest = count // reading.workers, math.ceil(count / reading.workers)

    def fits(size: int) -> bool:
        return math.ceil(fewest / size) == math.ceil(largest / size) and all(
            one % size == 0 or one % size > size - size // devices for one in (fewest, largest)
        )

    in_one = math.ceil(largest / devices) * devices
    return next(filter(fits, (*range(most, 0, -devices), *range(most + devices, in_one, devices))), in_one)


def evaluation_input(image: tf.Tensor, reading: Reading) -> tf.Tensor:
    """Returns the network's input for evaluation and serving: a transformed image -> pixels [size, size, channels]."""
    return images.center_crop(_decoded(image, reading), reading.image_size, reading.crop_fraction)


def is_deep(transformed: tf.Tensor) -> bool:
    """Returns whether the training split has images of 16 bits, which every transformed record says: bytes []."""
    return bool(tf.io.parse_single_example(transformed, _DEPTH_SPEC)[features.DEPTH] > 8)


def channels_of(transformed: tf.Tensor) -> int:
    """Returns the number of channels of all images, which every transformed record says: bytes []."""
    return int(tf.size(tf.io.parse_single_example(transformed, _STATISTICS_SPEC)[features.CHANNEL_MEAN]))


def _decoded(image: tf.Tensor, reading: Reading) -> tf.Tensor:
    return images.decode_stored(image, reading.deep, reading.channels) if image.dtype == tf.string else image


def _counts(pattern: str) -> dict[str, int]:
    """Returns the number of records in each file, and compares them with what Transform wrote."""
    folder = os.path.dirname(pattern)
    files = sorted(tf.io.gfile.glob(pattern))
    split = os.path.basename(folder).removeprefix("Split-")
    written = read_counts(os.path.dirname(folder)).get(split)
    # With the numbers that Transform wrote, no worker has to read all files before the training.
    known = written.in_files if written and len(written.in_files) == len(files) else records_in_files(files)
    if written:
        written.check(RecordCounts.of_files(folder, sum(known)), folder)
    return dict(zip(files, known, strict=True))


def _counted(batches: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    """Sets the number of batches, which Keras would otherwise learn only at the end, and prefetches them."""
    options = tf.data.Options()
    # A dataset that TensorFlow tunes can end only at the tuner's next turn, which may be a minute away.
    options.autotune.enabled = False
    counted = batches.apply(tf.data.experimental.assert_cardinality(steps))
    return counted.prefetch(tf.data.AUTOTUNE).with_options(options)


def _parsed(serialized: tf.data.Dataset) -> tf.data.Dataset:
    """Parses in batches, which takes a quarter of the time."""
    return serialized.batch(_PARSE_BATCH).map(_parse, num_parallel_calls=_AT_ONCE).unbatch()


def _parse(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Examples [records] -> encoded images [records], class ids [records]."""
    parsed = tf.io.parse_example(serialized, _FEATURE_SPEC)
    return parsed[features.ENCODED], parsed[features.LABEL_ID]


def _augmented(image: tf.Tensor, reading: Reading, augmentation: AugmentationConfig, seed: list[tf.Tensor]) -> Images:
    """A transformed image, bytes [] or pixels [height, width, channels] -> pixels [size, size, channels] or them with
    numbers."""
    if augmentation.areas is None:
        image = images.center_crop(_decoded(image, reading), reading.image_size, reading.crop_fraction)
    crop = partial(
        augment_image,
        image,
        reading.image_size,
        seed,
        deep=reading.deep,
        channels=reading.channels,
        crop_scale=augmentation.areas,
    )
    if not reading.augments:
        return {PIXELS: crop(flip=False), **draw_for_image(reading.image_size, seed, augmentation)}
    return crop(
        flip=augmentation.flip,
        randaugment_layers=augmentation.randaugment_layers,
        randaugment_magnitude=augmentation.randaugment_magnitude,
        erasing_probability=augmentation.erasing_probability,
    )


def _mixed(
    images: Images, labels: tf.Tensor, reading: Reading, augmentation: AugmentationConfig, seed: list[tf.Tensor]
) -> tuple[Images, tf.Tensor]:
    """Mixes a batch, or adds the random numbers to do it."""
    if not reading.augments:
        return {**images, **draw_for_batch(labels.shape[0], seed, augmentation)}, labels
    return mix_images(
        images, labels, seed, mixup_alpha=augmentation.mixup_alpha, cutmix_alpha=augmentation.cutmix_alpha
    )
