"""fit: trains a compiled model on transformed pictures, from the epoch and step that its checkpoint has reached."""

import keras

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import Checkpoint
from efficientmixnet.modules.data import Reading, Records, evaluation_batches, training_batches
from efficientmixnet.modules.distribution import Distribution
from efficientmixnet.modules.interruption import Interruption, ending_with_peers
from efficientmixnet.modules.training_config import TrainingConfig
from efficientmixnet.modules.training_progress import TrainingProgress


def fit(
    model: keras.Model,
    train: Records,
    evaluation: Records,
    reading: Reading,
    training: TrainingConfig,
    distribution: Distribution,
    checkpoint: Checkpoint,
    phase: range,
    logs: str | None = None,
) -> None:
    """Trains until these epochs are done or patience runs out; `logs` is TensorBoard's folder.

    Raises:
        SystemExit: the process was told to stop, or another worker is gone; the code asks for a retry.
    """
    steps_per_epoch = train.count // reading.batch_size
    checkpoint.patience = training.early_stopping_patience if phase.stop == training.epochs else None
    epochs = range(checkpoint.restore(model, phase.start), phase.stop)
    if checkpoint.is_over or checkpoint.phase > phase.start:
        return
    if epochs.start > phase.start or checkpoint.steps_done:
        progress.tell(f"goes on in epoch {epochs.start + 1} at step {checkpoint.steps_done + 1} of {steps_per_epoch}")
    batches = training_batches(
        train, reading, training.augmentation, training.seed, epochs, steps_done=checkpoint.steps_done
    )
    callbacks = [keras.callbacks.TerminateOnNaN()]
    if logs and distribution.is_chief:
        callbacks.append(keras.callbacks.TensorBoard(logs, write_graph=False, write_steps_per_second=True))
    interruption = Interruption(checkpoint)
    shown = TrainingProgress(epochs, steps_per_epoch, reading.batch_size, checkpoint.steps_done, training.epochs)
    with interruption, ending_with_peers(distribution.workers):
        model.fit(
            distribution.batches(batches.repeat() if distribution.workers > 1 else batches),
            validation_data=distribution.batches(evaluation_batches(evaluation, reading)),
            validation_steps=-(-evaluation.count // reading.batch_size),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            steps_per_epoch=steps_per_epoch,
            callbacks=[*callbacks, checkpoint, shown, interruption],
            verbose=0,
        )
