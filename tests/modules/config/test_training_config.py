"""Each bad value of network and training is refused in one line with the key, the value and the cure."""

from typing import Any

import pytest
from pydantic import ValidationError

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.section import merge
from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.plan import plan_network

BLOCK = "r1_k3_s22_e1_i32_o16"


def _mistake(section: str, values: dict[str, Any]) -> tuple[str, str]:
    """Returns the key and the message of the only mistake."""
    with pytest.raises(ValidationError) as caught:
        ModelConfig.model_validate({section: values})
    (error,) = caught.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variant": "B9"}, "variant: 'B9' is none of EfficientNetB0, .*MixNetS.*custom"),
        ({"variant": "custom"}, "blocks: .*it is empty; give at least one block"),
        ({"variant": "B1", "blocks": [BLOCK]}, "blocks: only the variant custom takes block strings, not B1"),
        (
            {"variant": "custom", "blocks": ["r1_k3_s11_e1_i8_o8"]},
            "blocks: .*takes 8 input filters, but the stem gives 32",
        ),
        ({"variant": "custom", "blocks": ["r1_kx"]}, "'r1_kx': token 'kx' at column 4"),
        ({"image_size": 31}, "image_size: 31 pixels are too few for the network's strides; give 32 or more"),
        (
            {"variant": "custom", "blocks": [BLOCK], "image_size": 3},
            "image_size: 3 pixels are too few for the network's strides; give 4 or more",
        ),
    ],
)
def test_network_keys_that_do_not_fit_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModelConfig.model_validate({"network": values})


@pytest.mark.parametrize(
    ("section", "values", "where", "message"),
    [
        ("network", {"nrom": "bn"}, "network.nrom", "Extra inputs are not permitted"),
        (
            "network",
            {"norm": "gn"},
            "network.norm",
            "Value error, network.norm: 'gn' is unknown; give one of bn, an, iebn",
        ),
        ("network", {"activation": "gelu"}, "network.activation", "Input should be 'swish', 'mish' or 'relu'"),
        ("network", {"width": 0}, "network.width", "Input should be greater than 0"),
        (
            "network",
            {"norm": {"kind": "an", "n_mixture": 0}},
            "network.norm",
            "Value error, network.norm.n_mixture: 0, give a whole number from 1",
        ),
        ("network", {"dropout": 1}, "network.dropout", "Input should be less than 1"),
        ("network", {"drop_connect": -0.1}, "network.drop_connect", "Input should be greater than or equal to 0"),
        ("network", {"crop_fraction": 1.5}, "network.crop_fraction", "Input should be less than or equal to 1"),
        ("training", {"epochs": 0}, "training.epochs", "Input should be greater than or equal to 1"),
        ("training", {"batch_size": 0}, "training.batch_size", "Input should be greater than or equal to 1"),
        ("training", {"learning_rate": 0}, "training.learning_rate", "Input should be greater than 0"),
        ("training", {"label_smoothing": 1.0}, "training.label_smoothing", "Input should be less than 1"),
        ("training", {"ema": 1.0}, "training.ema", "Input should be less than 1"),
        (
            "training",
            {"early_stopping_patience": 0},
            "training.early_stopping_patience",
            "Input should be greater than or equal to 1",
        ),
        (
            "training",
            {"optimizer": {"name": "lookahead", "inner": {"name": "sgd", "gradient_accumulation_steps": 2}}},
            "training",
            "Value error, optimizer.inner.gradient_accumulation_steps: set training.accumulation_steps instead",
        ),
        (
            "training",
            {"ema": 0.999, "optimizer": {"name": "sgd", "use_ema": False}},
            "training",
            "Value error, optimizer.use_ema: training.ema is set, which decides it; keep one of them",
        ),
        (
            "training",
            {"optimizer": {"name": "sgd", "ema_momentum": 0.9}},
            "training",
            "Value error, optimizer.ema_momentum: has no effect without use_ema: true",
        ),
        (
            "training",
            {"schedule": {"name": "linear"}},
            "training.schedule.name",
            "Input should be 'constant', 'cosine', 'exponential', 'step' or 'flat-cosine'",
        ),
        (
            "training",
            {"epochs": 3, "schedule": {"warmup_epochs": 3}},
            "training",
            "Value error, schedule.warmup_epochs: 3 must be less than the 3 epochs of the training",
        ),
        (
            "training",
            {"augmentation": {"crop_scale": [0.8, 0.5]}},
            "training.augmentation",
            "Value error, crop_scale: [0.8, 0.5] is not a range from 0.001 to 1, such as [0.5, 1.0]",
        ),
        (
            "training",
            {"augmentation": {"erasing_probability": 2}},
            "training.augmentation.erasing_probability",
            "Input should be less than or equal to 1",
        ),
    ],
)
def test_a_value_out_of_range_is_refused(section: str, values: dict[str, Any], where: str, message: str) -> None:
    assert _mistake(section, values) == (where, message)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("adm", "training.optimizer: .*'adm'.*adam"),
        ({"name": "adam", "beta1": 0.9}, "training.optimizer.beta1: .*did you mean 'beta_1'"),
        ({"name": "lookahead"}, "training.optimizer.*inner"),
    ],
)
def test_a_wrong_optimizer_is_refused_with_its_key(optimizer: Any, message: str) -> None:
    assert _mistake("training", {"optimizer": optimizer})[0] == "training.optimizer"
    with pytest.raises(ValidationError, match=message):
        ModelConfig.model_validate({"training": {"optimizer": optimizer}})


@pytest.mark.parametrize("optimizer", ["radam", "lion", {"name": "lookahead", "inner": {"name": "radam"}}, "ranger"])
def test_an_optimizer_by_name_or_with_arguments_is_read(optimizer: Any) -> None:
    read = ModelConfig.model_validate({"training": {"optimizer": optimizer}}).training.optimizer
    assert read["name"] == (optimizer if isinstance(optimizer, str) else "lookahead")


def test_the_configuration_survives_a_json_round_trip() -> None:
    config = ModelConfig.model_validate(
        {
            "network": {"variant": "custom", "blocks": [BLOCK]},
            "training": {"optimizer": {"name": "lookahead", "inner": "radam"}, "augmentation": {"crop_scale": None}},
        }
    )
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("values", "norm"),
    [
        ({}, Norm("an", 3, "depthwise", "paper")),
        ({"norm": "an"}, Norm("an", 3, "depthwise", "paper")),
        ({"norm": "bn"}, Norm("bn", 3, "depthwise", "paper")),
        ({"norm": {"kind": "iebn", "placement": "all"}}, Norm("iebn", 3, "all", "paper")),
        ({"norm_placement": "all"}, Norm("an", 3, "all", "paper")),
    ],
)
def test_a_block_string_decides_about_the_norm_where_the_section_does_not(values: dict[str, Any], norm: Norm) -> None:
    network = {"variant": "custom", "blocks": [f"{BLOCK}_ban_n3_ddepthwise_wpaper"], **values}
    read = NetworkConfig.model_validate(network)
    assert NetworkConfig.model_validate_json(read.model_dump_json()) == read
    (block,) = plan_network(read.as_variant(), norm=read.placed_norm).blocks
    assert block.norm == norm


@pytest.mark.parametrize(
    ("values", "placement"),
    [
        ({"norm": {"kind": "an", "placement": "depthwise"}}, "depthwise"),
        ({"norm": "an", "norm_placement": "depthwise"}, "depthwise"),
        ({"norm": "an"}, "all"),
    ],
)
def test_the_placement_of_a_norm_counts(values: dict[str, Any], placement: str) -> None:
    read = NetworkConfig.model_validate(values)
    assert NetworkConfig.model_validate_json(read.model_dump_json()) == read
    assert plan_network(read.as_variant(), norm=read.placed_norm).norm == Norm("an", 5, placement, "bn")


def test_a_configuration_is_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        NetworkConfig().norm = "an"


@pytest.mark.parametrize(
    ("values", "crop", "stored"),
    [
        ({}, 0.875, 256),  # 224 / .875: ImageNet's usual 256
        ({"variant": "B1"}, 0.875, 275),  # 240 / .875 = 274.3
        ({"image_size": 127}, 1.0, 127),
        ({"image_size": 128}, 0.875, 147),  # 146.3
        ({"image_size": 32}, 1.0, 32),
        ({"image_size": 32, "crop_fraction": 0.5}, 0.5, 64),
        ({"crop_fraction": 1.0}, 1.0, 224),
    ],
)
def test_stored_images_include_the_margin_of_the_evaluation_crop(
    values: dict[str, Any], crop: float, stored: int
) -> None:
    config = NetworkConfig.model_validate(values)
    assert (config.evaluation_crop, config.stored_side) == (crop, stored)


def test_a_recipe_sets_the_keys_that_are_missing() -> None:
    config = ModelConfig.model_validate({"training": {"recipe": "efficientnet"}})
    training = config.training
    # Tan and Le's: RMSProp, .016 times .97 every 2.4 epochs after 5 of warm-up, moving average .9999.
    assert (training.optimizer["name"], training.learning_rate, training.ema) == ("rmsprop", 0.016, 0.9999)
    assert training.schedule.model_dump(include={"name", "decay_rate", "decay_epochs", "warmup_epochs"}) == {
        "name": "exponential",
        "decay_rate": 0.97,
        "decay_epochs": 2.4,
        "warmup_epochs": 5,
    }


def test_the_configuration_overrides_the_recipe() -> None:
    config = ModelConfig.model_validate(
        {
            "network": {"drop_connect": 0.0},
            "training": {
                "recipe": "adamw-cosine",
                "epochs": 20,
                "optimizer": {"name": "sgd", "momentum": 0.9},
                "augmentation": {"flip": False, "mixup_alpha": 0},
            },
        }
    )
    training = config.training
    assert (training.epochs, config.network.drop_connect) == (20, 0)
    # The optimizer's arguments are its own: none of the recipe's AdamW stays with SGD.
    assert training.optimizer == {"name": "sgd", "momentum": 0.9}
    assert (training.augmentation.flip, training.augmentation.mixup_alpha) == (False, 0)
    assert (training.augmentation.cutmix_alpha, training.schedule.warmup_epochs) == (1.0, 5)


def test_an_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValidationError,
        match=r"training\.recipe\n  Input should be 'efficientnet', 'adamw-cosine' or 'ranger-flat-cosine'",
    ):
        ModelConfig.model_validate({"training": {"recipe": "best"}})


def test_merge_keeps_both_sides_and_changes_neither() -> None:
    below = {"a": {"x": 1, "y": {"z": 2}}, "b": 3}
    above = {"a": {"y": {"w": 4}, "x": None}, "c": 5}
    assert merge(below, above) == {"a": {"x": None, "y": {"z": 2, "w": 4}}, "b": 3, "c": 5}
    assert below == {"a": {"x": 1, "y": {"z": 2}}, "b": 3}
    assert above == {"a": {"y": {"w": 4}, "x": None}, "c": 5}


def test_jax_is_refused_if_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    where, said = _mistake("training", {"backend": "jax"})
    assert where == "training"
    assert "backend: jax is not installed; run pip install 'efficientmixnet[jax]'" in said
