"""Every network and every setting of the training trains. test_serving.py and test_trainer.py test the export."""

import numpy as np
import pytest
import tensorflow_transform as tft

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data.batches import evaluation_batches
from efficientmixnet.modules.trainer import training_job
from efficientmixnet.modules.training.training_job import train


@pytest.fixture
def predictions(arguments):
    """Trains, and returns the probabilities of all images."""

    def call(**settings):
        given = arguments(**settings)
        config = ModelConfig.model_validate(given.custom_config["model"])
        trained = train(training_job(config, given, tft.TFTransformOutput(given.transform_graph_path)))
        return trained.model.predict(evaluation_batches(trained.data.evaluation, trained.data.reading), verbose=0)

    return call


def is_distribution(probabilities):
    return np.all(probabilities >= 0) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


RANGER = {"name": "ranger", "sync_period": 2}  # The trainings have two steps.


@pytest.mark.parametrize(
    ("norm", "activation"), [("bn", "mish"), ({"kind": "an", "n_mixture": 3}, "relu"), ("iebn", "swish")]
)
def test_every_norm_and_activation_trains(predictions, norm, activation):
    assert is_distribution(predictions(network={"norm": norm, "activation": activation}))


@pytest.mark.parametrize(
    ("network", "training"),
    [
        ({"variant": "B0", "image_size": 32, "blocks": []}, {}),
        pytest.param(
            {"variant": "B0", "image_size": 32, "blocks": [], "mixed": True, "norm": "an"},
            {"optimizer": "lion"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"variant": "MixNetS", "image_size": 32, "blocks": []}, {"optimizer": RANGER}, marks=pytest.mark.slow
        ),
        ({"mixed": True, "width": 0.5, "depth": 2.0, "dropout": 0.3, "drop_connect": 0.5}, {"optimizer": "radam"}),
        (
            {"crop_fraction": 0.75},
            {
                "augmentation": {"crop_scale": None, "mixup_alpha": 0.2, "cutmix_alpha": 1.0},
                "class_weights": "balanced",
            },
        ),
        ({}, {"augmentation": {"randaugment_layers": 2, "erasing_probability": 0.5, "flip": False}, "ema": 0.9}),
        ({}, {"epochs": 2, "schedule": {"name": "exponential", "warmup_epochs": 1}, "early_stopping_patience": 1}),
        ({}, {"recipe": "efficientnet", "epochs": 1, "schedule": {"warmup_epochs": 0}, "batch_size": 1000}),
        pytest.param({}, {"recipe": "adamw-cosine", "epochs": 6}, marks=pytest.mark.slow),
        pytest.param({}, {"precision": "mixed_float16", "optimizer": RANGER}, marks=pytest.mark.slow),
        pytest.param({}, {"recipe": "ranger-flat-cosine", "epochs": 5}, marks=pytest.mark.slow),
    ],
)
def test_every_choice_trains(predictions, network, training):
    assert is_distribution(predictions(network=network, **training))


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["B1", "B2", "B3", "B4", "B5", "B6", "B7"])
def test_every_variant_trains(predictions, variant):
    assert is_distribution(predictions(network={"variant": variant, "image_size": 32, "blocks": []}))
