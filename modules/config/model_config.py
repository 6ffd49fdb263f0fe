"""ModelConfig: the sections of the configuration that TFX's Trainer receives."""

from typing import Any

from pydantic import model_validator

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.recipes import FOR_A_BUDGET, RECIPES
from efficientmixnet.modules.config.section import Section, merge
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.network.plan import plan_network

_AROUND = ("stem", "head", "pool", "dropout", "predictions")  # layers before and after the blocks


class ModelConfig(Section):
    """The network and its training. Trainer's custom_config holds it as JSON."""

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def head_epochs(self) -> int:
        """How many epochs train only the classifier."""
        epochs = self.training.fine_tuning.head_epochs
        if self.network.weights is None:
            return 0
        return min(3, self.training.epochs // 5) if epochs is None else epochs

    @property
    def without_weights(self) -> "ModelConfig":
        """The same configuration without starting weights. A budget then sets the keys that were not given."""
        given = self.model_dump(mode="json", include={"network", "training"}, exclude_unset=True)
        return ModelConfig.model_validate(merge(given, {"network": {"weights": None}}))

    @model_validator(mode="after")
    def _fine_tuning_has_epochs(self) -> "ModelConfig":
        if self.training.budget is not None:  # which chooses the epochs, and shortens both to fit
            return self
        left, warmup = self.training.epochs - self.head_epochs, self.training.schedule.warmup_epochs
        if left <= 0:
            raise ValueError(
                f"training.fine_tuning.head_epochs: {self.head_epochs} must be less than the {self.training.epochs} "
                "epochs of training.epochs"
            )
        if self.head_epochs and warmup >= left:
            raise ValueError(
                f"training.schedule.warmup_epochs: {warmup:g} must be less than the {left} epochs after "
                "training.fine_tuning.head_epochs"
            )
        return self

    @model_validator(mode="after")
    def _freezes_layers_of_the_network(self) -> "ModelConfig":
        until = self.training.fine_tuning.freeze_until
        if until is None:
            return self
        blocks = [block.name for block in plan_network(self.network.as_variant()).blocks]
        if not any(f"{name}_".startswith(until) or until.startswith(f"{name}_") for name in (*_AROUND, *blocks)):
            stages = blocks[-1].partition("_")[0]
            raise ValueError(
                f"training.fine_tuning.freeze_until: the network has no layer {until!r}; give one such as stage1 to "
                f"{stages}, head or predictions"
            )
        return self

    @model_validator(mode="after")
    def _auto_has_a_budget(self) -> "ModelConfig":
        if self.network.variant == "auto" and self.training.budget is None:
            raise ValueError("network.variant: auto needs training.budget, such as 30m")
        return self

    @model_validator(mode="before")
    @classmethod
    def _budget_chooses_the_network(cls, values: Any) -> Any:
        training = values.get("training") if isinstance(values, dict) else None
        if not isinstance(training, dict) or training.get("budget") is None:
            return values
        network = values.get("network")
        weights = network.get("weights") if isinstance(network, dict) else None
        preset = FOR_A_BUDGET if weights is None and training.get("recipe") is None else {}
        return merge(merge({"network": {"variant": "auto"}}, preset), values)

    @model_validator(mode="before")
    @classmethod
    def _recipe_fills_in(cls, values: Any) -> Any:
        training = values.get("training") if isinstance(values, dict) else None
        recipe = training.get("recipe") if isinstance(training, dict) else None
        # The field itself refuses an unknown recipe.
        if not isinstance(training, dict) or not isinstance(recipe, str) or recipe not in RECIPES:
            return values
        return merge(_for_epochs(RECIPES[recipe], training.get("epochs")), values)


def _for_epochs(recipe: dict[str, Any], epochs: Any) -> dict[str, Any]:
    """Returns the recipe with the decay of its schedule over other epochs, if it has one."""
    meant, decay = recipe["training"]["epochs"], recipe["training"]["schedule"].get("decay_epochs")
    if decay is None or not isinstance(epochs, int) or epochs < 1:  # The field itself refuses a wrong number.
        return recipe
    return merge(recipe, {"training": {"schedule": {"decay_epochs": decay * epochs / meant}}})
