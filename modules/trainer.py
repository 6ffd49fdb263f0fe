"""run_fn: trains a classifier on transformed images and exports it. TFX's Trainer calls it."""

import hashlib
import json
import shutil
from pathlib import Path

import keras
import tensorflow_transform as tft
from tfx import v1 as tfx

from efficientmixnet.modules import features, progress
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import found_values, with_values
from efficientmixnet.modules.data.class_weights import class_counts, class_weights
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.augmenting_model import AugmentingModel
from efficientmixnet.modules.distribution.distribution import choose_distribution
from efficientmixnet.modules.distribution.jax_cluster import JaxCluster
from efficientmixnet.modules.keras_settings import use_default_formats
from efficientmixnet.modules.serving import ServingModule
from efficientmixnet.modules.training.budget import keep_choice
from efficientmixnet.modules.training.calibration import calibrate
from efficientmixnet.modules.training.starting_weights import keep_for_fine_tuning
from efficientmixnet.modules.training.train_elsewhere import train_elsewhere
from efficientmixnet.modules.training.training_job import (
    TrainingJob,
    prepare_randomness,
    read_weights,
    train,
    write_weights,
)


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Builds, trains and exports the network.

    Args:
        fn_args: TFX's arguments. `custom_config` holds `model`, a ModelConfig as JSON, and `checkpoints`, the folder
            for the checkpoints of stopped trainings. It can hold `without_weights`, a ModelConfig for the case that
            `network.weights` is latest and no model is blessed. `hyperparameters` holds the best values of a search,
            if any.

    Raises:
        BadInput: The configuration does not fit the data, the starting weights or the machine.
    """
    use_default_formats()
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    found = found_values((fn_args.hyperparameters or {}).get("values", {}))
    config = with_values(ModelConfig.model_validate(fn_args.custom_config["model"]), found)
    job = training_job(config, fn_args, transform_output)
    if job.config.training.backend != keras.backend.backend():
        found_model = _train_elsewhere(job)
        if found_model is None:
            return
        model, data = found_model
    else:
        trained = train(job)
        job, model, data = trained.job, trained.model, trained.data
        if not trained.distribution.is_chief:
            return
        # The exported model is the plain float32 network, which runs on any device.
        if isinstance(model, AugmentingModel) or job.config.training.precision != "float32":
            weights, model = model.get_weights(), job.network(data)()
            model.set_weights(weights)
    calibration = calibrate(model, data)
    ServingModule(model, transform_output, job.labels, data.reading).save(fn_args.serving_model_dir)
    keep_for_fine_tuning(model, job.labels, fn_args.serving_model_dir)
    if calibration:
        calibration.write(fn_args.serving_model_dir)
    keep_choice(job.checkpoints, fn_args.serving_model_dir)
    shutil.copytree(job.logs, fn_args.model_run_dir, dirs_exist_ok=True)
    shutil.rmtree(job.checkpoints)


def training_job(
    config: ModelConfig, fn_args: tfx.components.FnArgs, transform_output: tft.TFTransformOutput
) -> TrainingJob:
    """Returns the training job for a configuration and the component's inputs."""
    labels = [label.decode() for label in reversed(transform_output.vocabulary_by_name(features.LABEL_VOCABULARY))]
    start = config.network.weights
    if start == "latest":
        start = fn_args.base_model
        found = (
            "starts from the latest blessed model" if start else "no model is blessed yet: starts from random weights"
        )
        progress.tell(found)
        if start is None:  # a random network has no classifier to train first, and nothing to freeze
            given = fn_args.custom_config.get("without_weights")
            config = ModelConfig.model_validate(given) if given else with_values(config, {"network.weights": None})
    return TrainingJob(
        config=config,
        labels=labels,
        class_weights=class_weights(config.training.class_weights, transform_output, labels),
        class_counts=class_counts(transform_output, labels).tolist(),
        train_files=fn_args.train_files,
        eval_files=fn_args.eval_files,
        checkpoints=_checkpoint_folder(config, fn_args),
        start=start,
    )


def _train_elsewhere(job: TrainingJob) -> tuple[keras.Model, TrainingData] | None:
    """Trains with another backend, from the same initial weights as this backend. None: not the first worker."""
    prepare_randomness(job.config)
    data = job.data(choose_distribution("none"))
    model = job.network(data)()
    initial, trained = (f"{job.checkpoints}/{name}.npz" for name in ("initial", "trained"))
    write_weights(initial, model)
    train_elsewhere(job.model_copy(update={"initial": initial}), weights=trained)
    cluster = JaxCluster.of(job.config.training.distribution)
    if cluster and cluster.index:
        return None
    model.set_weights(read_weights(trained))
    return model, data


def _checkpoint_folder(config: ModelConfig, fn_args: tfx.components.FnArgs) -> str:
    """Returns one folder for each configuration and dataset. Checkpoints fit only the same training."""
    checkpoints = Path(fn_args.custom_config["checkpoints"])
    data = [fn_args.train_files, fn_args.eval_files, fn_args.transform_graph_path]
    same = json.dumps([config.model_dump(mode="json"), *data, fn_args.base_model], sort_keys=True)
    # Paths below the output folder count from there, because it can be moved.
    output = json.dumps(f"{checkpoints.parent}/").removesuffix('"')
    digest = hashlib.sha256(same.replace(output, '"').encode()).hexdigest()[:16]
    return str(checkpoints / digest)
