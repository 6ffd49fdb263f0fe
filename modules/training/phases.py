"""phases: the phases of a training. Fine-tuning trains the classifier first, and then all layers more slowly."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import keras

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.training_config import ScheduleConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network.transfer_learning import CLASSIFIER, freeze, unfreeze


@dataclass(frozen=True)
class Phase:
    """Epochs with the same trainable layers, one optimizer and one schedule."""

    epochs: range
    learning_rate: float
    schedule: ScheduleConfig
    freeze_until: str | None = None  # the first layer to train; None: all layers
    layer_decay: float = 1.0
    frozen_norms: bool = False

    def prepare(self, model: keras.Model) -> None:
        """Freezes the layers that this phase does not train. Compile the model afterwards.

        Raises:
            BadInput: The model has no layer `freeze_until`.
        """
        if self.freeze_until is None:
            unfreeze(model, normalizations=not self.frozen_norms)
            return
        try:
            freeze(model, self.freeze_until, normalizations=not self.frozen_norms)
        except ValueError as error:
            raise BadInput(f"training.fine_tuning.freeze_until: {error}") from None


def phases(config: ModelConfig, learning_rate: float) -> list[Phase]:
    """Returns the phases of a training with this learning rate. Without starting weights there is one phase."""
    training, tuning = config.training, config.training.fine_tuning
    if config.network.weights is None:
        return [Phase(range(training.epochs), learning_rate, training.schedule)]
    head = Phase(range(config.head_epochs), learning_rate, ScheduleConfig(name="constant"), freeze_until=CLASSIFIER)
    rest = Phase(
        range(config.head_epochs, training.epochs),
        learning_rate * tuning.learning_rate_fraction,
        training.schedule,
        tuning.freeze_until,
        tuning.layer_decay,
        tuning.frozen_norms,
    )
    return [head, rest] if head.epochs else [rest]


def check_updates(
    planned: Iterable[Phase],
    accumulation_steps: int,
    steps_per_epoch: int,
    sync_period: int = 1,
    patience: int | None = None,
) -> None:
    """Refuses a phase that ends, or can be stopped early, before its first update.

    Args:
        planned: The phases.
        accumulation_steps: The steps of an update.
        steps_per_epoch: The steps of an epoch.
        sync_period: The updates after which Lookahead moves the weights that it returns.
        patience: The epochs after which the last phase can be stopped early; None: never.

    Raises:
        BadInput: An update, or Lookahead's period, is longer than a phase, or than patience.
    """
    steps = sync_period * accumulation_steps
    if patience is not None and patience * steps_per_epoch < steps:
        raise BadInput(
            f"training.early_stopping_patience: {patience} epochs have {patience * steps_per_epoch} steps, and the "
            f"weights change only every {steps} steps (accumulation_steps, and sync_period of the optimizer); raise it "
            "or lower batch_size"
        )
    for phase in planned:
        steps = steps_per_epoch * len(phase.epochs)
        few = f"epochs {phase.epochs.start + 1} to {phase.epochs.stop} have only {steps} steps"
        more = "batch_size, or train more epochs in this phase"
        if accumulation_steps > steps:
            raise BadInput(
                f"training.accumulation_steps: {few}, and {accumulation_steps} would make no update; lower it or {more}"
            )
        if sync_period * accumulation_steps > steps:
            raise BadInput(
                f"training.optimizer: {few}, but Lookahead moves the weights only every {sync_period} updates; "
                f"lower sync_period or {more}"
            )


def distances_from_the_classifier(model: keras.Model) -> dict[str, int]:
    """Returns the distance of each weight by its path: classifier 0, head 1, last stage 2, and so on to the stem."""
    stages = [int(found[1]) for layer in model.layers if (found := re.match(r"stage(\d+)", layer.name))]
    last = max(stages, default=0)

    def distance(name: str) -> int:
        if stage := re.match(r"stage(\d+)", name):
            return last - int(stage[1]) + 2
        return {"stem": last + 2, "head": 1}.get(name.partition("_")[0], 0)

    return {weight.path: distance(layer.name) for layer in model.layers for weight in layer.weights}
