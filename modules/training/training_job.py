"""TrainingJob: a configuration with its data. train: runs the training in this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.section import Section
from efficientmixnet.modules.config.training_config import FineTuningConfig, TrainingConfig
from efficientmixnet.modules.data.augmentation.on_device.batch import augment_batch
from efficientmixnet.modules.data.augmentation.randaugment import COLOR_OPERATIONS
from efficientmixnet.modules.data.augmentation_place import augments_on_device
from efficientmixnet.modules.data.batches import Reading
from efficientmixnet.modules.data.memory_cache import keeps_in_memory
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.data.sharding import reads_own_files
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.distribution import Distribution, choose_distribution
from efficientmixnet.modules.distribution.lost_workers import exit_if_worker_lost
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import whole_file
from efficientmixnet.modules.keras_settings import use_default_formats
from efficientmixnet.modules.optimizers.specification import sync_period
from efficientmixnet.modules.training.budget import within_budget
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.deadline import Deadline
from efficientmixnet.modules.training.fit import fit
from efficientmixnet.modules.training.phases import check_updates, phases
from efficientmixnet.modules.training.precision import precision
from efficientmixnet.modules.training.replan import Replan
from efficientmixnet.modules.training.starting_weights import StartingWeights

_HELD_OUT = 100, 5000  # images for calibration, at least and at most
_FEWEST_HELD_OUT = 20
_LOST_CLASSES = 0.01
_DARK = 0.25  # Images from black to white have higher levels.


class TrainingJob(Section):
    """A configuration and its data. As JSON it is sent to other processes."""

    config: ModelConfig
    labels: tuple[str, ...]
    """The labels in the order of the probabilities."""
    class_weights: tuple[float, ...] | None = None
    """What to multiply an image's loss by, in the order of the labels; None: nothing."""
    class_counts: tuple[int, ...] | None = None
    """The number of training images of each class, in the order of the labels; None: unknown."""
    train_files: tuple[str, ...]
    eval_files: tuple[str, ...]
    checkpoints: str
    """The folder of the checkpoints."""
    start: str | None = None
    """The weights to start from: imagenet or a path."""
    initial: str | None = None
    """An .npz file with all initial weights; None: random weights."""
    until: int | None = None
    """The number of epochs after which the training stops for now; None: all epochs."""

    @property
    def logs(self) -> str:
        """TensorBoard's folder."""
        return f"{self.checkpoints}/logs"

    def with_config(self, network: NetworkConfig, **training: Any) -> "TrainingJob":
        """Returns the same training with another network and other values of the section `training`."""
        sections = {"network": network, "training": self.config.training.model_copy(update=training)}
        return self.model_copy(update={"config": self.config.model_copy(update=sections)})

    def data(self, distribution: Distribution) -> TrainingData:
        """Finds the images, and decides how this process reads them.

        Raises:
            BadInput: There are too few images for the devices.
        """
        training = self.config.training
        train, evaluation = Records.find(self.train_files), Records.find(self.eval_files)
        if evaluation.count < distribution.workers:
            raise BadInput(
                f"training.distribution: {evaluation.count} images to evaluate are too few for "
                f"{distribution.workers} workers; use fewer workers"
            )
        held_out = None
        if training.calibration == "temperature" and (count := images_to_hold_out(train.count, self.class_counts)):
            train, held_out = train.split_off(count)
        own_files = reads_own_files(training.sharding, distribution.workers, train, training.cache)
        cached = not own_files and keeps_in_memory(training.cache, training.epochs, train, evaluation)
        reading = Reading(
            image_size=self.config.network.image_size or self.config.network.default_image_size,
            crop_fraction=self.config.network.evaluation_crop,
            classes=len(self.labels),
            batch_size=distribution.batch_size(training, train.count),
            worker=distribution.worker,
            workers=distribution.workers,
            own_files=own_files,
            devices=distribution.replicas // distribution.workers,
            deep=train.deep,
            channels=train.channels,
        )
        train, evaluation = replace(train, cached=cached), replace(evaluation, cached=cached)
        return TrainingData(train, evaluation, reading, self.labels, held_out, self.class_weights)

    def augmented_data(self, distribution: Distribution) -> tuple[TrainingData, Callable[..., Any] | None]:
        """Returns the data, and the function that augments its batches on the device; None: the reader augments."""
        data, training = self.data(distribution), self.config.training
        # The operations on the device are for RGB.
        place = training.augment_on if data.reading.channels == 3 else "cpu"
        if not augments_on_device(place, training.augmentation, distribution.has_accelerator):
            return data, None
        data = replace(data, reading=replace(data.reading, augments=False))
        return data, partial(augment_batch, magnitude=training.augmentation.randaugment_magnitude)

    def network(self, data: TrainingData) -> Callable[..., keras.Model]:
        """Returns a function that builds the network with its starting weights."""
        return partial(
            build_model,
            self.config.network,
            data.reading.image_size,
            data.reading.classes,
            data.steps_per_epoch,
            *data.train.channel_statistics(),
            start=StartingWeights.find(self.start) if self.start else None,
            labels=self.labels,
            total_steps=self.config.training.epochs * data.steps_per_epoch,
        )


@dataclass(frozen=True)
class Trained:
    """The result of a training in this process."""

    job: TrainingJob
    """With the network and the epochs that a budget chose."""
    model: keras.Model
    data: TrainingData
    distribution: Distribution
    checkpoint: Checkpoint

    @property
    def logs(self) -> dict[str, float]:
        """The logs of the epoch whose weights the model has."""
        checkpoint = self.checkpoint
        return checkpoint.history[-1 if checkpoint.patience is None else checkpoint.best_epoch - 1]


def train(job: TrainingJob) -> Trained:
    """Trains with the Keras backend of this process. Resumes from a checkpoint, if there is one.

    Raises:
        BadInput: The configuration does not fit the data, the starting weights or the machine.
        SystemExit: The process got SIGTERM, or another worker ended. The exit code asks for a retry.
    """
    use_default_formats()
    training = job.config.training
    distribution = choose_distribution(training.distribution, training.worker_timeout)
    progress.tell(distribution.reason)
    if training.precision == "auto":
        found = "mixed_bfloat16" if distribution.has_accelerator else "float32"
        job = job.with_config(job.config.network, precision=found)
    prepare_randomness(job.config)
    with exit_if_worker_lost(distribution.workers):
        return _train(job, distribution)


def _train(job: TrainingJob, distribution: Distribution) -> Trained:
    begin = time.monotonic()
    chosen = within_budget(job, distribution)
    if chosen is not job.config:
        job = job.model_copy(update={"config": chosen})
        prepare_randomness(job.config)
    training = job.config.training
    data, augment = job.augmented_data(distribution)
    if training.augmentation.randaugment_layers and data.train.channels != 3:
        progress.tell(
            f"training.augmentation: RandAugment leaves out {', '.join(COLOR_OPERATIONS)}, which are for images of "
            f"three channels; these have {data.train.channels}"
        )
    if training.calibration == "temperature" and data.held_out is None and images_to_hold_out(data.train.count):
        progress.tell("training.calibration: none, because the images held out could be all of a small class")
    if job.config.network.weights is None and training.fine_tuning != FineTuningConfig():
        progress.tell("training.fine_tuning: no effect, because network.weights is null")
    planned = phases(job.config, distribution.learning_rate(training))
    # Where batches are accumulated in the model's step, every step is an update.
    accumulation_steps = training.accumulation_steps if distribution.accumulated_batches(training) == 1 else 1
    period = 1 if training.ema else sync_period(training.optimizer)
    check_updates(planned, accumulation_steps, data.steps_per_epoch, period, training.early_stopping_patience)
    _check_levels(training, data)
    network = job.network(data)
    worker = {"worker": distribution.worker, "workers": distribution.workers}
    checkpoint = Checkpoint(job.checkpoints, **training.checkpoint.model_dump(), **worker)
    deadline, replan = _within_time(job, begin, data, checkpoint)
    callbacks = [one for one in (deadline, replan) if one]
    with precision(training.precision), distribution.scope():
        model = distribution.model(network(synchronized=distribution.synchronizes_norms(training)), augment)
        if job.initial:
            model.set_weights(read_weights(job.initial))

        for phase in planned:
            phase.prepare(model)  # before any phase trains, so that a layer that does not exist is found now

        def run(job: TrainingJob) -> None:
            training = job.config.training
            for phase in phases(job.config, distribution.learning_rate(training)):
                compile_model(model, training, phase, data.steps_per_epoch)
                epochs = range(phase.epochs.start, min(phase.epochs.stop, job.until or phase.epochs.stop))
                if epochs and not (deadline and deadline.is_over):
                    is_last = phase.epochs.stop == training.epochs
                    fit(model, data, training, distribution, checkpoint, epochs, job.logs, callbacks, is_last)

        run(job)
        if replan and replan.is_due:
            job = replan.job
            run(job)
    return Trained(job, model, data, distribution, checkpoint)


def _check_levels(training: TrainingConfig, data: TrainingData) -> None:
    """Refuses augmentation that assumes levels from black to white if the images have others. It would destroy them."""
    used = training.augmentation.randaugment_layers or training.augmentation.erasing_probability
    if not (used and data.train.deep and data.train.channels == 3):
        return
    mean, deviation = data.train.channel_statistics()
    highest = max(m + 3 * d for m, d in zip(mean, deviation, strict=True))
    if highest < _DARK or not 0 <= min(mean) <= max(mean) <= 1:
        raise BadInput(
            f"training.augmentation: RandAugment and erasing are for levels from 0 (black) to 1 (white), but those of "
            f"these images are around {max(mean):.3g}; set randaugment_layers and erasing_probability to 0, or save "
            "the images with levels from black to white"
        )


def _within_time(
    job: TrainingJob, begin: float, data: TrainingData, checkpoint: Checkpoint
) -> tuple[Deadline | None, Replan | None]:
    """Returns the callbacks that keep a training within its budget, if it has one."""
    training = job.config.training
    if training.budget_seconds is None:
        return None, None
    deadline = Deadline(begin, training.budget_seconds, training.epochs, data.steps_per_epoch, checkpoint)
    return deadline, Replan(job, deadline, data.steps_per_epoch, checkpoint)


def images_to_hold_out(images: int, class_counts: Sequence[int] | None = None) -> int:
    """Returns how many of the training images calibration holds out: a twentieth of them; 0 if there are too few.

    With fewer than 2,000 images it is 100 of them or a tenth, whichever is less. Images are held out whatever their
    class, so it is also 0 if that could take all images of a small class.

    Args:
        images: The number of training images.
        class_counts: That of each class; None: unknown.
    """
    count = min(max(images // 20, _HELD_OUT[0]), images // 10, _HELD_OUT[1])
    lost_classes = sum((count / images) ** of_class for of_class in class_counts or ())  # on average
    return count if count >= _FEWEST_HELD_OUT and lost_classes <= _LOST_CLASSES else 0


def prepare_randomness(config: ModelConfig) -> None:
    """Sets the random seeds. Call it before building the network."""
    keras.utils.set_random_seed(config.training.seed)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()


def write_weights(file: str, model: keras.Model) -> None:
    """Writes all weights to an .npz file, in Keras's order, which is the same for every backend."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file, "wb") as written:
        np.savez(written, *model.get_weights())


def read_weights(file: str) -> list[np.ndarray]:
    """Reads the file that `write_weights` wrote."""
    with np.load(file, allow_pickle=False) as content:
        return [content[name] for name in content.files]
