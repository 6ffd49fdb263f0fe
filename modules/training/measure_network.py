"""measure_network: measures how long a network's training takes on this device, by a few steps and two short epochs."""

import gc
import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import keras

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.training_config import ScheduleConfig
from efficientmixnet.modules.data.batches import evaluation_batch_size, training_batches
from efficientmixnet.modules.distribution.distribution import Distribution
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.failures import explain_out_of_memory
from efficientmixnet.modules.training.fit import fit
from efficientmixnet.modules.training.phases import phases
from efficientmixnet.modules.training.precision import precision

if TYPE_CHECKING:
    from efficientmixnet.modules.training.training_job import TrainingJob

_WARM_UP, _FEWEST_STEPS = 2, 2  # executions
_FEW_EPOCHS = 1000  # more than a measurement needs
_SHORT = 4  # steps of a short epoch, and the fewest batches of its evaluation
_ENOUGH_EVALUATED = 16  # batches of an evaluation, if there is time
_TINY_RATE = 1e-6  # so that the loss stays finite


@dataclass(frozen=True)
class Speed:
    """The time of a training on this device."""

    startup_seconds: float  # until the first steps of each phase have run
    epoch_seconds: float  # with evaluation and checkpoint
    head_epoch_seconds: float | None = None  # of an epoch that trains only the classifier; None: no phase does
    step_seconds: float | None = None  # of a step that trains all layers


def measure_network(job: "TrainingJob", distribution: Distribution, seconds: float) -> Speed:
    """Trains some steps of each phase, and then two short epochs with all that an epoch does besides.

    Args:
        job: The training, with the network to measure.
        distribution: The devices.
        seconds: How long to train after the first steps, at most. A few steps are always measured.

    Raises:
        OutOfMemory: Memory is full.
    """
    keras.utils.clear_session()
    gc.collect()
    start = time.monotonic()
    training = job.config.training
    data, augment = job.augmented_data(distribution)
    in_memory = data.reading.batch_size // distribution.accumulated_batches(training)  # images at a time
    with precision(training.precision), distribution.scope():
        model = distribution.model(job.network(data)(synchronized=distribution.synchronizes_norms(training)), augment)
    batches = training_batches(data.train, data.reading, training.augmentation, training.seed, range(_FEW_EPOCHS))
    startup, clocks = time.monotonic() - start, list[_StepClock]()
    for phase in phases(job.config, _TINY_RATE):  # whose epochs mean nothing: the budget has not chosen them
        clock, start = _StepClock(seconds), time.monotonic()
        same_rate = replace(phase, epochs=range(_FEW_EPOCHS), schedule=ScheduleConfig(name="constant"))
        with precision(training.precision), distribution.scope():
            compile_model(model, training, same_rate, data.steps_per_epoch)
        with suppress(_Enough), explain_out_of_memory(in_memory):
            model.fit(
                distribution.batches(batches),
                steps_per_epoch=_FEW_EPOCHS * data.steps_per_epoch,
                callbacks=[clock],
                verbose=0,
            )
        startup += clock.first_seconds(start)
        clocks.append(clock)
    few = model.steps_per_execution * math.ceil(_SHORT / model.steps_per_execution)
    few = min(few, data.steps_per_epoch)
    at_once = evaluation_batch_size(data.evaluation.count, replace(data.reading, batch_size=in_memory))
    in_time = min(round(seconds / clock.step_seconds), _ENOUGH_EVALUATED)
    measured = max(_SHORT, in_time, 2 * model.steps_per_execution)  # A batch is timed between two executions.
    evaluated = min(measured * at_once, data.evaluation.count)
    short = replace(
        data,
        train=replace(data.train, count=few * data.reading.batch_size),
        evaluation=replace(data.evaluation, count=evaluated),
    )
    epochs = _EpochClock()
    with progress.nothing_shown(), TemporaryDirectory() as folder:
        checkpoint = Checkpoint(folder, **training.checkpoint.model_dump())
        two = training.model_copy(update={"epochs": 2})
        fit(model, short, two, distribution, checkpoint, range(2), f"{folder}/logs", [epochs])
    first, second = epochs.ends
    epoch_seconds = (
        second
        - first
        + (data.steps_per_epoch - few) * clock.step_seconds
        + (data.evaluation.count - evaluated) / at_once * epochs.batch_seconds
    )
    saved = data.steps_per_epoch * (clock.step_seconds - clocks[0].step_seconds)
    return Speed(startup, epoch_seconds, epoch_seconds - saved if len(clocks) > 1 else None, clock.step_seconds)


class _Enough(Exception):
    """Ends a measurement."""


class _StepClock(keras.callbacks.Callback):
    """Measures the seconds of a training step after a warm-up, and then ends the training."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds, self._ends = seconds, list[tuple[int, float]]()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._ends.append((batch, time.monotonic()))
        measured = self._ends[_WARM_UP - 1 :]
        if len(measured) > _FEWEST_STEPS and measured[-1][1] - measured[0][1] > self._seconds:
            raise _Enough

    def first_seconds(self, begin: float) -> float:
        """Returns the seconds until the first step had run, which includes compiling and tracing it."""
        return self._ends[0][1] - begin

    @property
    def step_seconds(self) -> float:
        """The seconds of a step in the later half, because caches and pipelines are still filling in the first one."""
        middle = max(len(self._ends) // 2, _WARM_UP) - 1
        (first, start), (last, end) = self._ends[middle], self._ends[-1]
        return (end - start) / (last - first)


class _EpochClock(keras.callbacks.Callback):
    """Measures when epochs end, and the seconds of a batch in the last evaluation, without its start."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []
        self._evaluated: list[tuple[int, float]] = []

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._evaluated = []

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._evaluated.append((batch, time.monotonic()))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.ends.append(time.monotonic())

    @property
    def batch_seconds(self) -> float:
        (first, start), (last, end) = self._evaluated[0], self._evaluated[-1]
        return (end - start) / max(last - first, 1)
