"""compile_model: a network gets the optimizer, schedule, loss and metrics that a configuration describes."""

import keras

from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.optimizers.build import build_optimizer
from efficientmixnet.modules.schedules import build_schedule
from efficientmixnet.modules.training_config import TrainingConfig


def compile_model(model: keras.Model, training: TrainingConfig, learning_rate: float, steps_per_epoch: int) -> None:
    """Compiles the model for `training.epochs` epochs.

    Raises:
        BadInput: the installed Keras cannot do what the configuration's check lets through.
    """
    schedule = build_schedule(
        learning_rate=learning_rate,
        steps_per_epoch=steps_per_epoch,
        epochs=training.epochs,
        **training.schedule.model_dump(),
    )
    try:
        optimizer = build_optimizer(
            training.optimizer,
            schedule,
            ema_momentum=training.ema,
            total_steps=steps_per_epoch * training.epochs,
        )
    except ValueError as error:
        raise BadInput(f"training.optimizer: {error}") from None
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
