"""run_fn on a few images: every network and every setting of the training trains."""

import pytest
import tensorflow as tf
from trained_images import LABELS, png

from efficientmixnet.modules import features


@pytest.mark.parametrize(("norm", "activation"), [("bn", "mish"), ("an", "relu"), ("iebn", "swish")])
def test_every_norm_and_activation_trains(train, norm, activation):
    model = tf.saved_model.load(
        train(network={"norm": {"kind": norm, "n_mixture": 3}, "activation": activation}.items())
    )
    assert model.class_labels().numpy().tolist() == [label.encode() for label in LABELS]


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
            {"variant": "MixNetS", "image_size": 32, "blocks": []}, {"optimizer": "ranger"}, marks=pytest.mark.slow
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
        pytest.param({}, {"precision": "mixed_float16", "optimizer": "ranger"}, marks=pytest.mark.slow),
        pytest.param({}, {"recipe": "ranger-flat-cosine", "epochs": 2}, marks=pytest.mark.slow),
    ],
)
def test_every_choice_trains(train, network, training):
    outputs = tf.saved_model.load(train(network=network.items(), **training)).signatures["serving_default"](
        tf.constant([png((1, 2, 3))])
    )
    assert float(tf.reduce_sum(outputs[features.PROBABILITIES])) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["B1", "B2", "B3", "B4", "B5", "B6", "B7"])
def test_every_variant_trains(train, variant):
    test_every_choice_trains(train, {"variant": variant, "image_size": 32, "blocks": []}, {})
