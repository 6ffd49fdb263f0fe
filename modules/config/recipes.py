"""Recipes: presets for the sections `training` and `network`, as plain data.

A value in the configuration overrides the recipe's value. A recipe's learning rate is for its batch size. Change both
by the same factor.
"""

from typing import Any

# Variables whose names contain one of these words have no weight decay, as is usual for norms and biases.
NOT_DECAYED = ("bias", "gamma", "beta")

# What training.budget sets where the configuration says nothing, to train from random weights.
FOR_A_BUDGET: dict[str, Any] = {
    "training": {
        "optimizer": {
            "name": "convmuon",
            "rms_rate": 0.4,
            "weight_decay": 0.05,
            "exclude_from_weight_decay": list(NOT_DECAYED),
        },
        "learning_rate": 0.006,
        "schedule": {"name": "cosine", "warmup_epochs": 1},
        "precision": "auto",
    },
}

RECIPES: dict[str, dict[str, Any]] = {
    # Tan and Le, EfficientNet, ICML 2019, section 5.2: RMSProp, .97 every 2.4 epochs, the rate .016 per 256 images.
    # Its AutoAugment is RandAugment here (Cubuk et al., table 4: N = 2, M = 9).
    "efficientnet": {
        "training": {
            "epochs": 350,
            "batch_size": 256,
            "optimizer": {
                "name": "rmsprop",
                "rho": 0.9,
                "momentum": 0.9,
                "epsilon": 0.001,
                "weight_decay": 1e-5,
                "exclude_from_weight_decay": list(NOT_DECAYED),
            },
            "learning_rate": 0.016,
            "schedule": {"name": "exponential", "warmup_epochs": 5, "decay_rate": 0.97, "decay_epochs": 2.4},
            "label_smoothing": 0.1,
            "ema": 0.9999,
            "augmentation": {
                "crop_scale": [0.08, 1.0],
                "flip": True,
                "randaugment_layers": 2,
                "randaugment_magnitude": 9,
                "erasing_probability": 0.0,
                "mixup_alpha": 0.0,
                "cutmix_alpha": 0.0,
            },
        },
        "network": {"drop_connect": 0.2},
    },
    # A common recipe today: decoupled weight decay, a cosine schedule, mixup and CutMix.
    "adamw-cosine": {
        "training": {
            "epochs": 100,
            "batch_size": 128,
            "optimizer": {"name": "adamw", "weight_decay": 0.05, "exclude_from_weight_decay": list(NOT_DECAYED)},
            "learning_rate": 0.001,
            "schedule": {"name": "cosine", "warmup_epochs": 5, "final_fraction": 0.01},
            "label_smoothing": 0.1,
            "ema": 0.999,
            "augmentation": {
                "crop_scale": [0.25, 1.0],
                "flip": True,
                "randaugment_layers": 2,
                "randaugment_magnitude": 9,
                "erasing_probability": 0.25,
                "mixup_alpha": 0.2,
                "cutmix_alpha": 1.0,
            },
        },
        "network": {"drop_connect": 0.2},
    },
    # Lookahead moves half of the way, so it needs a higher learning rate than Adam: at the same batch size, twice that
    # of adamw-cosine, with a warm-up over a tenth of the epochs (docs/ablation.md).
    "ranger-flat-cosine": {
        "training": {
            "epochs": 40,
            "batch_size": 64,
            "optimizer": {
                "name": "lookahead",
                "inner": {"name": "radam", "weight_decay": 0.01, "exclude_from_weight_decay": list(NOT_DECAYED)},
                "sync_period": 6,
                "slow_step_size": 0.5,
            },
            "learning_rate": 0.001,
            "schedule": {"name": "flat-cosine", "warmup_epochs": 4, "flat_fraction": 0.7, "final_fraction": 0.0},
            "label_smoothing": 0.1,
            "ema": None,
            "augmentation": {
                "crop_scale": [0.35, 1.0],
                "flip": True,
                "randaugment_layers": 1,
                "randaugment_magnitude": 5,
                "erasing_probability": 0.1,
                "mixup_alpha": 0.1,
                "cutmix_alpha": 0.0,
            },
        },
        "network": {"drop_connect": 0.1},
    },
}
