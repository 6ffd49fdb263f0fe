"""compile_model: compiles a network with the optimizer, schedule, loss and metrics of a configuration."""

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
    """Compiles the model for one phase.

    Args:
        model: The network.
        training: The section `training` of the configuration.
        phase: The phase, which sets the layers to train, the learning rate and the schedule.
        steps_per_epoch: The training steps of each epoch.

    Raises:
        BadInput: The installed Keras refuses the optimizer, or layer_decay does not go with its clipping.
    """
    steps_in_optimizer = training.accumulation_steps
    if isinstance(model, DistributedModel):  # Keras's optimizers cannot accumulate on several devices
        model.accumulation_steps, steps_in_optimizer = steps_in_optimizer, 1
    phase.prepare(model)
    specification, global_clipnorm = training.optimizer, None
    if phase.layer_decay != 1:  # Each stage has its own optimizer, and the norm is that of all gradients.
        specification, global_clipnorm = _without_global_clipnorm(training.optimizer)
        if global_clipnorm is not None and steps_in_optimizer > 1:
            raise BadInput(
                "training.optimizer: global_clipnorm does not go with fine_tuning.layer_decay and accumulation_steps "
                "together on one device; use clipnorm"
            )

    def optimizer(factor: float) -> keras.optimizers.Optimizer:
        """Builds an optimizer with this factor of the phase's learning rate."""
        schedule = build_schedule(
            learning_rate=factor * phase.learning_rate,
            steps_per_epoch=steps_per_epoch,
            epochs=len(phase.epochs),
            **phase.schedule.model_dump(),
        )
        try:
            return build_optimizer(
                _accumulating(specification, steps_in_optimizer),
                schedule,
                ema_momentum=training.ema,
            )
        except ValueError as error:
            raise BadInput(f"training.optimizer: {error}") from None

    model.compile(
        optimizer=optimizer(1.0)
        if phase.layer_decay == 1
        else _by_layer(model, phase.layer_decay, optimizer, global_clipnorm),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=[ConfusionAccuracy(model.output.shape[-1])],
        jit_compile=training.jit,
        steps_per_execution=_steps_per_execution(training, steps_per_epoch),
    )
    if not tf.distribute.has_strategy():  # DistributedModel builds its own
        _build(model)


def _build(model: keras.Model) -> None:
    """Creates the variables of optimizer, loss and metrics. If `fit` did it, it would trace the step twice."""
    model.optimizer.build(model.trainable_variables)
    predictions = keras.ops.ones((1, *model.output.shape[1:]))
    model.compute_loss(None, predictions, predictions)
    model.compute_metrics(None, predictions, predictions)
    model.reset_metrics()


def _by_layer(
    model: keras.Model,
    decay: float,
    optimizer: Callable[[float], keras.optimizers.Optimizer],
    global_clipnorm: float | None,
) -> keras.optimizers.Optimizer:
    """Returns one optimizer for each trainable stage, with decay^distance of the classifier's learning rate."""
    distances = distances_from_the_classifier(model)
    used = sorted({distances[weight.path] for weight in model.trainable_variables}, reverse=True)
    groups = {path: used.index(distance) for path, distance in distances.items() if distance in used}
    return Grouped([optimizer(decay**distance) for distance in used], groups, global_clipnorm)


def _without_global_clipnorm(specification: Mapping[str, Any]) -> tuple[dict[str, Any], float | None]:
    """Returns the specification without global_clipnorm, and its value."""
    rest = dict(specification)
    if "inner" in rest:
        rest["inner"], found = _without_global_clipnorm(rest["inner"])
        return rest, found
    return rest, rest.pop("global_clipnorm", None)


def _accumulating(specification: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Returns the specification with gradient accumulation in the innermost optimizer."""
    if "inner" in specification:
        return {**specification, "inner": _accumulating(specification["inner"], steps)}
    return {**specification, "gradient_accumulation_steps": steps} if steps > 1 else dict(specification)


def _steps_per_execution(training: TrainingConfig, steps_per_epoch: int) -> int:
    """Returns a divisor of the epoch's steps, because Keras would otherwise run past the end of the epoch."""
    most = training.steps_per_execution or (8 if tf.config.list_physical_devices("GPU") else 1)
    return max(number for number in range(1, most + 1) if steps_per_epoch % number == 0)
