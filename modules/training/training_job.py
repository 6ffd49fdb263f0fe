"""TrainingJob: everything that a training needs to know, and the training itself, in whatever process it happens."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.section import Section
from efficientmixnet.modules.data.batches import Reading, Records
from efficientmixnet.modules.data.memory_cache import keeps_in_memory
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.distribution import Distribution, choose_distribution
from efficientmixnet.modules.distribution.lost_peers import lost_peers_in_words
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.fit import fit
from efficientmixnet.modules.training.phases import phases
from efficientmixnet.modules.training.starting_weights import StartingWeights


class TrainingJob(Section):
    """A configuration and the data for it; as JSON it goes from process to process."""

    config: ModelConfig
    labels: tuple[str, ...]
    """In the order of the probabilities."""
    class_weights: tuple[float, ...] | None = None
    """In the same order, what a training image's loss is multiplied by."""
    train_files: tuple[str, ...]
    eval_files: tuple[str, ...]
    checkpoints: str
    """The folder where a stopped training is taken up again."""
    start: str | None = None
    """Weights to start from: imagenet or a path."""
    initial: str | None = None
    """An .npz file with all weights, in place of random ones."""
    until: int | None = None
    """The training stops after so many of its epochs, and may go on later."""

    @property
    def logs(self) -> str:
        """TensorBoard's folder."""
        return f"{self.checkpoints}/logs"

    def data(self, distribution: Distribution) -> TrainingData:
        """The images, and how this process reads them.

        Raises:
            BadInput: there are too few of them for so many devices.
        """
        training = self.config.training
        train, evaluation = Records.find(self.train_files), Records.find(self.eval_files)
        if evaluation.count < distribution.workers:
            raise BadInput(
                f"training.distribution: {evaluation.count} images to evaluate are too few for "
                f"{distribution.workers} workers; take fewer"
            )
        cached = keeps_in_memory(training.cache, training.epochs, train, evaluation)
        reading = Reading(
            image_size=self.config.network.image_size or self.config.network.default_image_size,
            crop_fraction=self.config.network.evaluation_crop,
            classes=len(self.labels),
            batch_size=distribution.batch_size(training, train.count),
            worker=distribution.worker,
            workers=distribution.workers,
            devices=distribution.replicas // distribution.workers,
        )
        train, evaluation = replace(train, cached=cached), replace(evaluation, cached=cached)
        return TrainingData(train, evaluation, reading, self.labels, self.class_weights)

    def network(self, data: TrainingData) -> Callable[..., keras.Model]:
        """Builds the network, with the weights that it starts from."""
        return partial(
            build_model,
            self.config.network,
            data.reading.image_size,
            data.reading.classes,
            data.steps_per_epoch,
            *data.train.channel_statistics(),
            start=StartingWeights.find(self.start) if self.start else None,
            labels=self.labels,
        )


@dataclass(frozen=True)
class Trained:
    """What came of a training in this process."""

    model: keras.Model
    data: TrainingData
    distribution: Distribution
    checkpoint: Checkpoint

    @property
    def logs(self) -> dict[str, float]:
        """Of the epoch whose weights the model has."""
        checkpoint = self.checkpoint
        return checkpoint.history[-1 if checkpoint.patience is None else checkpoint.best_epoch - 1]


def train(job: TrainingJob) -> Trained:
    """Trains with the Keras backend of this process, from where a checkpoint left off.

    Raises:
        BadInput: the configuration does not fit the data, the starting weights or the machine.
        SystemExit: the process was told to stop, or another worker is gone; the code asks for a retry.
    """
    training = job.config.training
    distribution = choose_distribution(training.distribution, training.worker_timeout)
    progress.tell(distribution.reason)
    prepare_randomness(job.config)
    with lost_peers_in_words(distribution.workers):
        return _train(job, distribution)


def _train(job: TrainingJob, distribution: Distribution) -> Trained:
    training = job.config.training
    data = job.data(distribution)
    network = job.network(data)
    place = {"worker": distribution.worker, "workers": distribution.workers}
    checkpoint = Checkpoint(job.checkpoints, **training.checkpoint.model_dump(), **place)
    with precision(training.precision), distribution.scope():
        model = distribution.model(network(synchronized=training.synchronized_norm and distribution.replicas > 1))
        if job.initial:
            model.set_weights(read_weights(job.initial))
        for phase in phases(job.config, distribution.learning_rate(training)):
            compile_model(model, training, phase, data.steps_per_epoch)
            epochs = range(phase.epochs.start, min(phase.epochs.stop, job.until or phase.epochs.stop))
            if epochs:
                fit(model, data, training, distribution, checkpoint, epochs, job.logs)
    return Trained(model, data, distribution, checkpoint)


def prepare_randomness(config: ModelConfig) -> None:
    """Before a network is built."""
    keras.utils.set_random_seed(config.training.seed)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()


def write_weights(file: str, model: keras.Model) -> None:
    """All weights in Keras's order, which is the same on every backend; whole or not at all."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with open(f"{file}.part", "wb") as part:
        np.savez(part, *model.get_weights())
    os.replace(f"{file}.part", file)


def read_weights(file: str) -> list[np.ndarray]:
    """What `write_weights` wrote."""
    with np.load(file, allow_pickle=False) as content:
        return [content[name] for name in content.files]


@contextmanager
def precision(name: str) -> Iterator[None]:
    """float32, mixed_bfloat16 or mixed_float16: weights are float32 in all of them, and so are normalizations' sums.

    With mixed_float16 Keras scales the loss when it compiles the model, and leaves out steps that overflow.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
