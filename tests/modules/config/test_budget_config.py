"""A budget is a time. It fills in what the configuration leaves out, and refuses what no candidate can have."""

from typing import Any

import pytest

from efficientmixnet.modules.config.model_config import ModelConfig


def test_a_budget_fills_in_what_is_missing() -> None:
    config = ModelConfig.model_validate({"training": {"budget": "30m", "augmentation": {"flip": False}}})
    assert config.network.variant == "auto"
    assert (config.training.optimizer["name"], config.training.learning_rate) == ("convmuon", 0.006)
    assert not config.training.augmentation.flip


@pytest.mark.parametrize(
    "values",
    [
        {"training": {"budget": "30m", "optimizer": "adam"}, "network": {"drop_connect": 0.2}},
        {"training": {"budget": "30m"}, "network": {"weights": "imagenet"}},
        {"training": {"epochs": 10}},
    ],
)
def test_a_budget_leaves_what_is_given_fine_tuning_and_given_epochs_alone(values: dict[str, Any]) -> None:
    config = ModelConfig.model_validate(values)
    given = values.get("network", {}).get("drop_connect")
    assert (config.training.optimizer["name"], config.network.drop_connect) == ("adam", given)


@pytest.mark.parametrize("text", ["30", "0m", "m", "-3m", "1w", "30 minutes", "1e9h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 30m or 2h"):
        ModelConfig.model_validate({"training": {"budget": text}})


def test_auto_needs_a_budget_and_no_file_of_weights() -> None:
    with pytest.raises(ValueError, match=r"network\.variant: auto needs training\.budget"):
        ModelConfig.model_validate({"network": {"variant": "auto"}})
    with pytest.raises(ValueError, match="auto cannot start from a file of weights"):
        ModelConfig.model_validate({"training": {"budget": "1m"}, "network": {"weights": "/a.h5"}})


def test_a_layer_that_no_candidate_has_is_refused() -> None:
    training = {"budget": "10m", "fine_tuning": {"freeze_until": "stage8"}}
    with pytest.raises(ValueError, match=r"the network has no layer 'stage8'; give one such as stage1 to stage7"):
        ModelConfig.model_validate({"network": {"weights": "imagenet"}, "training": training})


@pytest.mark.parametrize("key", ["width", "depth", "stem_filters", "head_filters", "stem_stride"])
def test_keys_that_auto_decides_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match=rf"{key}: the variant auto decides it; leave it out, or give a variant"):
        ModelConfig.model_validate({"training": {"budget": "10m"}, "network": {key: 1 if key == "stem_stride" else 3}})


def test_the_scale_of_a_published_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="width: the variant B0 decides it; leave it out, or use the variant custom"):
        ModelConfig.model_validate({"network": {"width": 2.0}})


def test_mixed_kernels_of_a_custom_network_are_checked_at_once() -> None:
    network = {"variant": "custom", "blocks": ["r1_k3_s11_e1_i32_o16"], "mixed": True}
    with pytest.raises(ValueError, match="mixed needs a block with several kernel sizes"):
        ModelConfig.model_validate({"network": network})


@pytest.mark.parametrize(
    "training",
    [
        {"learning_rate": 0.01},
        {"optimizer": "adam", "learning_rate": 0.001, "precision": "float32"},  # the defaults, but given
        {"schedule": {"final_fraction": 0.01}},
        {"schedule": {"warmup_epochs": 0}},
        {"recipe": "efficientnet", "learning_rate": 0.001},
    ],
)
def test_without_weights_a_budget_sets_only_what_is_not_given(training: dict[str, Any]) -> None:
    given = {"training": {"budget": "30m", **training}, "network": {"variant": "B0"}}
    latest = ModelConfig.model_validate({**given, "network": {"variant": "B0", "weights": "latest"}})
    assert latest.training != ModelConfig.model_validate(given).training or "recipe" in training
    assert latest.without_weights == ModelConfig.model_validate(given)
