"""run_fn: transformed pictures and a configuration become an exported classifier."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from efficientmixnet.modules import features, progress
from efficientmixnet.modules.checkpoint import Checkpoint
from efficientmixnet.modules.class_weights import class_weights
from efficientmixnet.modules.compile_model import compile_model
from efficientmixnet.modules.data import Reading, Records
from efficientmixnet.modules.distribution import Distribution, choose_distribution
from efficientmixnet.modules.fine_tuning import phases
from efficientmixnet.modules.fit import TrainingData, fit
from efficientmixnet.modules.memory_cache import keeps_in_memory
from efficientmixnet.modules.model import build_model
from efficientmixnet.modules.precision import precision
from efficientmixnet.modules.serving import ServingModule
from efficientmixnet.modules.starting_weights import StartingWeights, keep_for_fine_tuning
from efficientmixnet.modules.training_config import ModelConfig


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Builds, trains and exports the network.

    `fn_args.custom_config` holds `model`, a ModelConfig as JSON, and `checkpoints`, the folder where a stopped
    training is taken up again.

    Raises:
        BadInput: the configuration does not fit the data, the starting weights or the machine.
    """
    config = ModelConfig.model_validate(fn_args.custom_config["model"])
    training = config.training
    distribution = choose_distribution(training.distribution, training.worker_timeout)
    progress.tell(distribution.reason)
    keras.utils.set_random_seed(training.seed)
    if training.deterministic:
        tf.config.experimental.enable_op_determinism()

    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    labels = [label.decode() for label in reversed(transform_output.vocabulary_by_name(features.LABEL_VOCABULARY))]
    weights = class_weights(training.class_weights, transform_output, labels)
    data = _find_data(fn_args, config, distribution, labels, weights)
    network = partial(
        build_model,
        config.network,
        data.reading.image_size,
        data.reading.classes,
        data.steps_per_epoch,
        *data.train.channel_statistics(),
        start=_starting_weights(config.network.weights, fn_args),
        labels=labels,
    )
    place = {"worker": distribution.worker, "workers": distribution.workers}
    checkpoint = Checkpoint(_checkpoint_folder(fn_args), **training.checkpoint.model_dump(), **place)
    logs = f"{checkpoint.folder}/logs"

    with precision(training.precision), distribution.scope():
        model = distribution.model(network(synchronized=training.synchronized_norm and distribution.replicas > 1))
        for phase in phases(config, distribution.learning_rate(training)):
            compile_model(model, training, phase, data.steps_per_epoch)
            fit(model, data, training, distribution, checkpoint, phase.epochs, logs)
    if not distribution.is_chief:
        return
    if distribution.replicas > 1 or training.precision != "float32":  # what serves is the network alone, on any device
        weights, model = model.get_weights(), network()
        model.set_weights(weights)
    ServingModule(model, transform_output, labels, data.reading).save(fn_args.serving_model_dir)
    keep_for_fine_tuning(model, labels, fn_args.serving_model_dir)
    shutil.copytree(logs, fn_args.model_run_dir, dirs_exist_ok=True)
    checkpoint.discard()


def _find_data(
    fn_args: tfx.components.FnArgs,
    config: ModelConfig,
    distribution: Distribution,
    labels: list[str],
    weights: Sequence[float] | None,
) -> TrainingData:
    train, evaluation = Records.find(fn_args.train_files), Records.find(fn_args.eval_files)
    cached = keeps_in_memory(config.training.cache, config.training.epochs, train, evaluation)
    reading = Reading(
        image_size=config.network.image_size or config.network.default_image_size,
        crop_fraction=config.network.evaluation_crop,
        classes=len(labels),
        batch_size=distribution.batch_size(config.training, train.count),
        worker=distribution.worker,
        workers=distribution.workers,
    )
    train, evaluation = replace(train, cached=cached), replace(evaluation, cached=cached)
    return TrainingData(train, evaluation, reading, labels, weights)


def _starting_weights(weights: str | None, fn_args: tfx.components.FnArgs) -> StartingWeights | None:
    if weights == "latest":
        weights = fn_args.base_model
        progress.tell("starts from the latest blessed model" if weights else "no model is blessed yet: starts anew")
    return StartingWeights.find(weights) if weights else None


def _checkpoint_folder(fn_args: tfx.components.FnArgs) -> str:
    """One for each configuration and data set: what a stopped training left fits only the very same training."""
    data = [fn_args.train_files, fn_args.eval_files, fn_args.transform_graph_path]
    same = [fn_args.custom_config["model"], *data, fn_args.base_model]
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]
    return str(Path(fn_args.custom_config["checkpoints"], digest))
