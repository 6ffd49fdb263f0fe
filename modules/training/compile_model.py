"""compile_model: a network gets the optimizer, schedule, loss and metrics that a configuration describes."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.distribution.distributed_model import DistributedModel
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.optimizers.build import build_optimizer
from efficientmixnet.modules.optimizers.grouped import Grouped
from efficientmixnet.modules.optimizers.schedules import build_schedule
from efficientmixnet.modules.training.confusion_accuracy import ConfusionAccuracy
from efficientmixnet.modules.training.phases import Phase, distances_from_the_classifier


def compile_model(model: keras.Model, training: TrainingConfig, phase: Phase, steps_per_epoch: int) -> None:
    """Compiles the model for the epochs of a phase.

    Raises:
        BadInput: the installed Keras cannot do what the configuration's check lets through.
    """
    steps_in_optimizer = training.accumulation_steps
    if isinstance(model, DistributedModel):  # under whose strategies Keras's optimizers cannot accumulate
        model.accumulation_steps, steps_in_optimizer = steps_in_optimizer, 1
    phase.prepare(model)

    def optimizer(share: float) -> keras.optimizers.Optimizer:
        """One that learns at this share of the learning rate."""
        schedule = build_schedule(
            learning_rate=share * phase.learning_rate,
            steps_per_epoch=steps_per_epoch,
            epochs=len(phase.epochs),
            **phase.schedule.model_dump(),
        )
        try:
            return build_optimizer(
                _accumulating(training.optimizer, steps_in_optimizer),
                schedule,
                ema_momentum=training.ema,
                total_steps=steps_per_epoch * len(phase.epochs),
            )
        except ValueError as error:
            raise BadInput(f"training.optimizer: {error}") from None

    model.compile(
        optimizer=optimizer(1.0) if phase.layer_decay == 1 else _by_layer(model, phase.layer_decay, optimizer),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=[ConfusionAccuracy(model.output.shape[-1])],
        jit_compile=training.jit,
        steps_per_execution=_steps_per_execution(training, steps_per_epoch),
    )
    if not tf.distribute.has_strategy():  # where DistributedModel knows how
        _build(model)


def _build(model: keras.Model) -> None:
    """Makes the variables of optimizer, loss and metrics; left to `fit`, the step would be traced twice for them."""
    model.optimizer.build(model.trainable_variables)
    answers = keras.ops.ones((1, *model.output.shape[1:]))
    model.compute_loss(None, answers, answers)
    model.compute_metrics(None, answers, answers)
    model.reset_metrics()


def _by_layer(
    model: keras.Model, decay: float, optimizer: Callable[[float], keras.optimizers.Optimizer]
) -> keras.optimizers.Optimizer:
    """An optimizer for each stage that learns, at decay^distance of the classifier's learning rate."""
    distances = distances_from_the_classifier(model)
    there = sorted({distances[weight.path] for weight in model.trainable_variables}, reverse=True)
    groups = {path: there.index(distance) for path, distance in distances.items() if distance in there}
    return Grouped([optimizer(decay**distance) for distance in there], groups)


def _accumulating(specification: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """The specification with accumulated gradients, in the innermost optimizer."""
    if "inner" in specification:
        return {**specification, "inner": _accumulating(specification["inner"], steps)}
    return {**specification, "gradient_accumulation_steps": steps} if steps > 1 else dict(specification)


def _steps_per_execution(training: TrainingConfig, steps_per_epoch: int) -> int:
    """A divisor of the epoch, as Keras would otherwise run over its end."""
    most = training.steps_per_execution or (8 if tf.config.list_physical_devices("GPU") else 1)
    return max(number for number in range(1, most + 1) if steps_per_epoch % number == 0)
