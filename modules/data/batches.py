"""training_batches and evaluation_batches: tf.data pipelines from transformed records to batches.

The order and the augmentation of an epoch depend only on the seed and the number of the epoch. So a resumed training
sees the same batches as one that never stopped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import tensorflow as tf

from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.augmentation import augment_image, mix_images
from efficientmixnet.modules.data.augmentation.on_device.draws import PIXELS, draw_for_batch, draw_for_image
from efficientmixnet.modules.data.records import AT_ONCE, Records, parsed_records
from efficientmixnet.modules.data.shares import evaluation_share, training_share

SHUFFLE_BUFFER = 8192  # encoded images: about 200 MB for photographs of 256 pixels

Images: TypeAlias = tf.Tensor | dict[str, tf.Tensor]  # the dictionary also has random numbers


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
        shuffled = parsed_records(share).shuffle(min(own, SHUFFLE_BUFFER), seed=seed + epoch)
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
        batches = examples.map(augmented, num_parallel_calls=AT_ONCE).batch(own_batch, drop_remainder=True).map(one_hot)
        if augmentation.mixup_alpha or augmentation.cutmix_alpha:
            batches = batches.enumerate(first_step).map(mixed, num_parallel_calls=AT_ONCE)
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
        own = parsed_records(evaluation_share(records.record_files, reading.worker, reading.workers))
    else:
        own = records.images().shard(reading.workers, reading.worker)
    images = own.map(whole, num_parallel_calls=AT_ONCE)
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


def _decoded(image: tf.Tensor, reading: Reading) -> tf.Tensor:
    return images.decode_stored(image, reading.deep, reading.channels) if image.dtype == tf.string else image


def _counted(batches: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    """Sets the number of batches, which Keras would otherwise learn only at the end, and prefetches them."""
    options = tf.data.Options()
    # A dataset that TensorFlow tunes can end only at the tuner's next turn, which may be a minute away.
    options.autotune.enabled = False
    counted = batches.apply(tf.data.experimental.assert_cardinality(steps))
    return counted.prefetch(tf.data.AUTOTUNE).with_options(options)


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
