"""Fine-tuning: a network that knows something already learns in phases, first its classifier, then the rest, gently."""

import re
from dataclasses import dataclass

import keras

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.training_config import ScheduleConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network.transfer_learning import CLASSIFIER, freeze, unfreeze


@dataclass(frozen=True)
class Phase:
    """Epochs in which the same layers learn, by one optimizer and one schedule."""

    epochs: range
    learning_rate: float
    schedule: ScheduleConfig
    freeze_until: str | None = None  # the first layer that learns; None: all do
    layer_decay: float = 1.0
    frozen_norms: bool = False

    def prepare(self, model: keras.Model) -> None:
        """Freezes what does not learn in this phase; the model is compiled afterwards.

        Raises:
            BadInput: there is no such layer.
        """
        if self.freeze_until is None:
            unfreeze(model, normalizations=not self.frozen_norms)
            return
        try:
            freeze(model, self.freeze_until)
        except ValueError as error:
            raise BadInput(f"training.fine_tuning.freeze_until: {error}") from None


def phases(config: ModelConfig, learning_rate: float) -> list[Phase]:
    """The phases of a training whose highest learning rate is this one: one, if it starts from nothing."""
    training, tuning = config.training, config.training.fine_tuning
    if config.network.weights is None:
        return [Phase(range(training.epochs), learning_rate, training.schedule)]
    head = Phase(range(config.head_epochs), learning_rate, ScheduleConfig(name="constant"), freeze_until=CLASSIFIER)
    rest = Phase(
        range(config.head_epochs, training.epochs),
        learning_rate * tuning.learning_rate_share,
        training.schedule,
        tuning.freeze_until,
        tuning.layer_decay,
        tuning.frozen_norms,
    )
    return [head, rest] if head.epochs else [rest]


def distances_from_the_classifier(model: keras.Model) -> dict[str, int]:
    """By the path of each weight: 0 for the classifier, 1 for the head, 2 for the last stage, on to the stem."""
    stages = [int(found[1]) for layer in model.layers if (found := re.match(r"stage(\d+)", layer.name))]
    last = max(stages, default=0)

    def distance(name: str) -> int:
        if stage := re.match(r"stage(\d+)", name):
            return last - int(stage[1]) + 2
        return {"stem": last + 2, "head": 1}.get(name.partition("_")[0], 0)

    return {weight.path: distance(layer.name) for layer in model.layers for weight in layer.weights}
