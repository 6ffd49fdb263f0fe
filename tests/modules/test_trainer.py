"""run_fn on a few images: a stopped training resumes, and a training starts from an exported model."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from trained_images import SIDE, weights

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data.batches import Reading, evaluation_batches
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.trainer import training_job
from efficientmixnet.modules.training.phases import phases


class StopAt:
    """A listener that stops the training in an epoch, as Ctrl-C does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def start(self, total, unit):
        pass

    def advance(self, count, figures):
        if figures["epoch"] == self.epoch and count:
            raise KeyboardInterrupt

    def tell(self, line):
        pass


# A lost momentum shows in the weights. Adam's would, too, but it also amplifies rounding errors.
MOMENTUM = {"name": "sgd", "momentum": 0.9}


@pytest.mark.parametrize(
    "optimizer",
    [pytest.param(MOMENTUM, marks=pytest.mark.slow), {"name": "lookahead", "inner": MOMENTUM, "sync_period": 4}],
)
def test_a_stopped_training_ends_with_the_weights_of_one_never_stopped(train, optimizer):
    settings = {"epochs": 4, "optimizer": optimizer, "learning_rate": 0.05}
    whole = weights(train("whole", **settings))
    progress.listen(StopAt(3))
    try:
        with pytest.raises(KeyboardInterrupt):
            train("stopped", **settings)
    finally:
        progress.listen(None)
    resumed = weights(train("stopped", **settings))
    assert len(whole) == len(resumed) > 20
    for one, other in zip(whole, resumed, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_training_finds_its_checkpoints_after_the_output_folder_was_moved(arguments, transformed, tmp_path):
    def checkpoints(output: str, execution: int = 1) -> Path:
        given = arguments(output)
        artifacts = tmp_path / output / "artifacts"
        given.transform_graph_path, given.base_model = str(artifacts / "graph"), str(artifacts / "model")
        given.train_files = given.eval_files = [f"{artifacts}/{execution}/*"]
        config = ModelConfig.model_validate(given.custom_config["model"])
        job = training_job(config, given, tft.TFTransformOutput(transformed.graph))
        return Path(job.checkpoints).relative_to(tmp_path / output)

    assert checkpoints("moved") == checkpoints("großer Ordner")
    assert checkpoints("moved") != checkpoints("moved", execution=2)


@pytest.mark.slow
def test_a_budget_trains_and_is_kept_with_the_model(train):
    folder = train(budget="150s")
    kept = json.loads(Path(folder, "assets.extra/budget.json").read_text())
    assert kept["config"]["training"]["epochs"] >= 1
    assert [one["name"] for one in kept["considered"]] == ["custom"]
    assert tf.saved_model.load(folder).class_labels().shape == (3,)


@pytest.mark.slow
def test_jax_trains_the_weights_of_tensorflow(train, capfd):
    """The same initial weights, images and augmentation; four steps of two epochs."""
    alike = {"epochs": 2, "optimizer": "radam", "learning_rate": 0.01}
    network = {"dropout": 0.0, "drop_connect": 0.0}.items()
    expected = weights(train("tensorflow", network, **alike))
    got = weights(train("jax", network, backend="jax", **alike))
    assert "with JAX on cpu" in capfd.readouterr().out
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.mark.slow
def test_a_stopped_training_with_jax_ends_as_one_never_stopped(train, capfd):
    settings = {"backend": "jax", "epochs": 3, "optimizer": "radam", "checkpoint": {"every_minutes": 1e-9}}
    whole = weights(train("whole", **settings))
    progress.listen(StopAt(2))
    try:
        with pytest.raises(KeyboardInterrupt):
            train("stopped", **settings)
    finally:
        progress.listen(None)
    capfd.readouterr()
    resumed = weights(train("stopped", **settings))
    assert "resumes in epoch " in capfd.readouterr().out
    for one, other in zip(resumed, whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


class Copies:
    """A store of checkpoints in a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fetch(self, folder: Path) -> None:
        if self.place.exists() and not any(folder.glob("epoch-*.npz")):
            shutil.copytree(self.place, folder, dirs_exist_ok=True)

    def keep(self, folder: Path) -> None:
        shutil.copytree(folder, self.place, dirs_exist_ok=True)


@pytest.mark.slow
def test_a_training_with_jax_resumes_from_copies_after_its_disk_is_lost(train, tmp_path, capfd):
    settings = {"backend": "jax", "epochs": 2}
    checkpoint_copies.use_store(Copies(tmp_path / "copies"))
    progress.listen(StopAt(2))
    try:
        with pytest.raises(KeyboardInterrupt):
            train("stopped", **settings)
        shutil.rmtree(tmp_path / "stopped")
        progress.listen(None)
        capfd.readouterr()
        train("stopped", **settings)
    finally:
        checkpoint_copies.use_store(None)
        progress.listen(None)
    assert "resumes in epoch 2" in capfd.readouterr().out


@pytest.mark.slow
def test_a_training_starts_from_an_exported_model_with_its_classifier_and_pixel_scaling(train, exported, transformed):
    unchanged = {"epochs": 1, "learning_rate": 1e-9, "fine_tuning": {"head_epochs": 0}}
    second = train("second", network={"weights": exported}.items(), **unchanged)
    reading = Reading(image_size=SIDE, crop_fraction=1.0, classes=3, batch_size=64)
    ((inputs, _),) = evaluation_batches(Records.find(transformed.files), reading)
    expected, got = (tf.saved_model.load(folder).classify_inputs(inputs) for folder in (exported, second))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_loss_that_is_not_finite_stops_with_the_key_to_change(train):
    with pytest.raises(ValueError, match=r"training\.learning_rate"):
        train(optimizer="sgd", learning_rate=1e30, epochs=2)


@pytest.mark.parametrize(("blessed", "epochs"), [(None, [range(10)]), ("blessed", [range(2), range(2, 10)])])
def test_without_a_blessed_model_all_layers_train_from_the_start(arguments, transformed, tmp_path, blessed, epochs):
    base_model = blessed and str(tmp_path / blessed)
    given = arguments(network={"weights": "latest"}.items(), base_model=base_model, epochs=10)
    config = ModelConfig.model_validate(given.custom_config["model"])
    job = training_job(config, given, tft.TFTransformOutput(transformed.graph))
    assert job.start == base_model
    assert [phase.epochs for phase in phases(job.config, 0.1)] == epochs
    # A budget writes its choice as JSON, from which a resumed training reads it.
    assert ModelConfig.model_validate_json(job.config.model_dump_json()) == job.config
