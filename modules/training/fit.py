"""fit: trains a compiled model on transformed images, and resumes from its checkpoint."""

import math
from collections.abc import Sequence
from dataclasses import replace

import keras
import tensorflow as tf

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.checkpoint.continued_epoch import ContinuedEpoch
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.data.batches import evaluation_batches, training_batches
from efficientmixnet.modules.data.padding import padded_batches
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.distribution import Distribution
from efficientmixnet.modules.training.averaged_evaluation import AveragedEvaluation
from efficientmixnet.modules.training.caught_signals import CaughtSignals
from efficientmixnet.modules.training.failures import FiniteLoss, explain_out_of_memory
from efficientmixnet.modules.training.interruption import Interruption
from efficientmixnet.modules.training.progress_callback import TrainingProgress
from efficientmixnet.modules.training.tensorboard_images import TensorBoardImages


def fit(
    model: keras.Model,
    data: TrainingData,
    training: TrainingConfig,
    distribution: Distribution,
    checkpoint: Checkpoint,
    phase: range,
    logs: str | None = None,
    further: Sequence[keras.callbacks.Callback] = (),
    is_last: bool = True,
) -> None:
    """Trains the epochs of a phase, or fewer if it stops early.

    Args:
        model: The compiled model.
        data: The splits, and how to read them.
        training: The section `training` of the configuration.
        distribution: The devices.
        checkpoint: Restores the model first, and saves it during the training.
        phase: The epochs of the phase, counted from 0.
        logs: TensorBoard's folder; None: no logs.
        further: Callbacks that come last.
        is_last: Whether this is the training's last phase, or the part of it for now. Only then can it stop early.

    Raises:
        OutOfMemory: Memory is full.
        BadInput: The loss is not finite.
        SystemExit: The process got SIGTERM, and has saved a checkpoint.
    """
    steps, batch_size = data.steps_per_epoch, data.reading.batch_size
    at_once = batch_size // distribution.accumulated_batches(training)  # images in memory at a time
    checkpoint.patience = training.early_stopping_patience if is_last else None
    epochs = range(checkpoint.restore(model, phase.start), phase.stop)
    if checkpoint.phase > phase.start:
        return
    if checkpoint.is_over:  # what is left is what Keras does after the last epoch
        model.optimizer.finalize_variable_values(model.trainable_weights)
        checkpoint.set_model(model)
        checkpoint.on_train_end()
        return
    if epochs.start > phase.start or checkpoint.steps_done:
        progress.tell(f"resumes in epoch {epochs.start + 1} at step {checkpoint.steps_done + 1} of {steps}")
    batches = training_batches(
        data.train,
        data.reading,
        training.augmentation,
        training.seed,
        epochs,
        steps_done=checkpoint.steps_done,
        class_weights=data.class_weights,
    )
    reading = replace(data.reading, batch_size=at_once)
    evaluated = evaluation_batches(data.evaluation, reading)
    padded = padded_batches(data.evaluation, reading) if distribution.splits_equally else evaluated
    signals = CaughtSignals()
    callbacks: list[keras.callbacks.Callback] = [
        ContinuedEpoch(checkpoint),
        FiniteLoss(checkpoint),
        *_tensorboard(logs, distribution, training, evaluated, data.labels, model.steps_per_execution),
        AveragedEvaluation(),  # after TensorBoard, which shows the weights that are judged
        checkpoint,  # after TensorBoard, so that no log is lost, and with the weights of the last step
        TrainingProgress(epochs, steps, batch_size, checkpoint.steps_done, training.epochs),
        Interruption(checkpoint, signals),
        *further,
    ]
    with signals, explain_out_of_memory(at_once):
        model.fit(
            distribution.batches(batches.repeat() if distribution.workers > 1 else batches),
            validation_data=distribution.batches(padded),
            validation_steps=int(evaluated.cardinality()),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            steps_per_epoch=steps,
            callbacks=callbacks,
            verbose=0,
        )


def _tensorboard(
    logs: str | None,
    distribution: Distribution,
    training: TrainingConfig,
    evaluated: tf.data.Dataset,
    labels: Sequence[str],
    steps_per_execution: int,
) -> list[keras.callbacks.Callback]:
    if logs is None:
        return []
    if not distribution.is_chief:
        return [TensorBoardImages(None, evaluated, labels)]
    # Keras counts executions, not steps.
    profiled = [math.ceil(step / steps_per_execution) for step in training.profile_steps or ()]
    curves = keras.callbacks.TensorBoard(
        logs, write_graph=False, write_steps_per_second=True, profile_batch=profiled or 0
    )
    return [curves, TensorBoardImages(logs, evaluated, labels)]
