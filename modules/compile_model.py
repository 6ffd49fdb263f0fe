"""compile_model: a network gets the optimizer, schedule, loss and metrics that a configuration describes."""

from collections.abc import Callable

import keras

from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.fine_tuning import Phase, distances_from_the_classifier
from efficientmixnet.modules.optimizers.build import build_optimizer
from efficientmixnet.modules.optimizers.grouped import Grouped
from efficientmixnet.modules.schedules import build_schedule
from efficientmixnet.modules.training_config import TrainingConfig


def compile_model(model: keras.Model, training: TrainingConfig, phase: Phase, steps_per_epoch: int) -> None:
    """Compiles the model for the epochs of a phase.

    Raises:
        BadInput: the installed Keras cannot do what the configuration's check lets through.
    """
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
                training.optimizer,
                schedule,
                ema_momentum=training.ema,
                total_steps=steps_per_epoch * len(phase.epochs),
            )
        except ValueError as error:
            raise BadInput(f"training.optimizer: {error}") from None

    model.compile(
        optimizer=optimizer(1.0) if phase.layer_decay == 1 else _by_layer(model, phase.layer_decay, optimizer),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


def _by_layer(
    model: keras.Model, decay: float, optimizer: Callable[[float], keras.optimizers.Optimizer]
) -> keras.optimizers.Optimizer:
    """An optimizer for each stage that learns, at decay^distance of the classifier's learning rate."""
    distances = distances_from_the_classifier(model)
    there = sorted({distances[weight.path] for weight in model.trainable_variables}, reverse=True)
    groups = {path: there.index(distance) for path, distance in distances.items() if distance in there}
    return Grouped([optimizer(decay**distance) for distance in there], groups)
