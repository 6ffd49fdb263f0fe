"""ModelConfig: the sections that Trainer receives as custom_config."""

from typing import Any

from pydantic import model_validator

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.recipes import RECIPES
from efficientmixnet.modules.config.section import Section, merge
from efficientmixnet.modules.config.training_config import TrainingConfig


class ModelConfig(Section):
    """The two sections that Trainer's custom_config holds as JSON."""

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def head_epochs(self) -> int:
        """The epochs in which only the classifier learns."""
        epochs = self.training.fine_tuning.head_epochs
        if self.network.weights is None:
            return 0
        return min(3, self.training.epochs // 5) if epochs is None else epochs

    @model_validator(mode="after")
    def _fine_tuning_has_epochs(self) -> "ModelConfig":
        left, warmup = self.training.epochs - self.head_epochs, self.training.schedule.warmup_epochs
        if left <= 0:
            raise ValueError(f"training.fine_tuning.head_epochs: {self.head_epochs} are all of the training's epochs")
        if self.head_epochs and warmup >= left:
            raise ValueError(
                f"training.schedule.warmup_epochs: {warmup:g} epochs of warm-up are no fewer than the {left} epochs "
                "behind training.fine_tuning.head_epochs"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _recipe_fills_in(cls, values: Any) -> Any:
        training = values.get("training") if isinstance(values, dict) else None
        recipe = training.get("recipe") if isinstance(training, dict) else None
        # Of one that does not exist the field itself will say so.
        known = isinstance(recipe, str) and recipe in RECIPES
        return merge(RECIPES[str(recipe)], values) if known else values
