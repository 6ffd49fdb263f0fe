"""run_fn: transformed pictures and a configuration become an exported classifier."""

import hashlib
import json
import math
import shutil
from pathlib import Path

import keras
import tensorflow_transform as tft
from tfx import v1 as tfx

from efficientmixnet.modules import features
from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.checkpoint import Checkpoint
from efficientmixnet.modules.data import Reading, Records, evaluation_batches, training_batches
from efficientmixnet.modules.model import build_model
from efficientmixnet.modules.optimizers.build import build_optimizer
from efficientmixnet.modules.schedules import build_schedule
from efficientmixnet.modules.serving import ServingModule
from efficientmixnet.modules.training_config import ModelConfig, TrainingConfig
from efficientmixnet.modules.training_progress import TrainingProgress


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Builds, trains and exports the network.

    `fn_args.custom_config` holds `model`, a ModelConfig as JSON, and `checkpoints`, the folder where a stopped
    training is taken up again.

    Raises:
        BadInput: the configuration does not fit the data.
    """
    config = ModelConfig.model_validate(fn_args.custom_config["model"])
    training = config.training
    keras.utils.set_random_seed(training.seed)

    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    labels = [label.decode() for label in reversed(transform_output.vocabulary_by_name(features.LABEL_VOCABULARY))]
    train, evaluation = Records.find(fn_args.train_files), Records.find(fn_args.eval_files)
    reading = Reading(
        image_size=config.network.image_size or config.network.default_image_size,
        crop_fraction=config.network.evaluation_crop,
        classes=len(labels),
        batch_size=min(training.batch_size, train.count),
    )
    steps_per_epoch = train.count // reading.batch_size

    model = build_model(
        config.network, reading.image_size, reading.classes, steps_per_epoch, *train.channel_statistics()
    )
    _compile(model, training, steps_per_epoch)
    checkpoint = Checkpoint(_checkpoint_folder(fn_args), training.early_stopping_patience)
    epochs = range(checkpoint.restore(model), training.epochs)
    logs = f"{checkpoint.folder}/logs"
    if not checkpoint.is_over:
        model.fit(
            training_batches(train, reading, training.augmentation, training.seed, epochs),
            validation_data=evaluation_batches(evaluation, reading),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            steps_per_epoch=steps_per_epoch,
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                keras.callbacks.TensorBoard(logs, write_graph=False, write_steps_per_second=True),
                checkpoint,
                TrainingProgress(epochs, steps_per_epoch, reading.batch_size),
            ],
            verbose=0,
        )
    if not math.isfinite(checkpoint.history[-1]["loss"]):
        raise BadInput("training.learning_rate: the loss is not a number any more; give a lower learning rate")
    ServingModule(model, transform_output, labels, reading).save(fn_args.serving_model_dir)
    shutil.copytree(logs, fn_args.model_run_dir, dirs_exist_ok=True)
    checkpoint.discard()


def _compile(model: keras.Model, training: TrainingConfig, steps_per_epoch: int) -> None:
    schedule = build_schedule(
        learning_rate=training.learning_rate,
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
    except ValueError as error:  # the installed Keras cannot do what the configuration's check lets through
        raise BadInput(f"training.optimizer: {error}") from None
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


def _checkpoint_folder(fn_args: tfx.components.FnArgs) -> str:
    """One for each configuration and data set: what a stopped training left fits only the very same training."""
    same = [fn_args.custom_config["model"], fn_args.train_files, fn_args.eval_files, fn_args.transform_graph_path]
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]
    return str(Path(fn_args.custom_config["checkpoints"], digest))
