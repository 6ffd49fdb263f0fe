"""Replan: a callback that plans the epochs of a budget again when the first one ends, by the time that its steps took.

The learning rates of a warm-up do not depend on the number of epochs. So a plan can change as long as the warm-up
lasts, and the training is the same as one that had the new plan from its start.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.files.stored_file import read_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.optimizers.schedules import build_schedule
from efficientmixnet.modules.training.budget import CHOICE, USED, with_epochs
from efficientmixnet.modules.training.deadline import LATE, Deadline
from efficientmixnet.modules.training.phases import phases

if TYPE_CHECKING:
    from efficientmixnet.modules.training.training_job import TrainingJob

_LEAST_CHANGE = 0.05  # of the epochs, because the training starts again
_LEAST_TIME = 0.02  # of the budget, for the steps of the first epoch: four times as long as they were measured


class Replan(keras.callbacks.Callback):
    """Stops the training after its first epoch, if another number of epochs fills the budget better.

    Then `job` has the new plan and resumes from the checkpoint. The new plan replaces the first one in its file, so a
    training that is resumed later keeps it. A training that is resumed within its first epoch keeps the first plan.

    Args:
        job: The training, with a choice next to its checkpoints.
        deadline: Its deadline, which measures the steps. It must come first.
        steps: The steps of an epoch.
        checkpoint: Its checkpoint, which must come first.
    """

    def __init__(self, job: "TrainingJob", deadline: Deadline, steps: int, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.job, self.is_due = job, False
        self._deadline, self._steps, self._checkpoint = deadline, steps, checkpoint
        self._is_whole = False  # whether this process trains all of the first epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._is_whole = epoch == 0 and self._checkpoint.steps_done == 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        seconds = self._deadline.step_seconds
        if not self._is_whole or self.model.stop_training or seconds is None:
            return
        if self._steps * seconds < _LEAST_TIME * (self.job.config.training.budget_seconds or math.inf):
            return
        file = Path(self.job.checkpoints, CHOICE)
        content = read_json(file, f"delete {file}", "name", "why", "considered")
        planned = self.job.config.training.epochs
        epochs = better_epochs(content, planned, seconds, self._deadline.seconds_left)
        again = self._with_epochs(epochs)
        if epochs == planned or not keeps_first_rates(self.job, again, self._steps):
            return
        why = f"after the first epoch, there is time for {epochs} epochs instead of {planned}"
        progress.tell(f"training.budget: {why}")
        self._checkpoint.save()
        content |= {"config": again.config.model_dump(mode="json"), "why": f"{content['why']}; {why}"}
        write_text(file, json.dumps(content))
        self._deadline.epochs = epochs
        self.job, self.is_due, self.model.stop_training = again, True, True

    def _with_epochs(self, epochs: int) -> "TrainingJob":
        """Returns the training with these epochs, and the warm-up of the first plan."""
        warmup = self.job.config.training.schedule.warmup_epochs
        schedule = with_epochs(self.job.config, epochs).training.schedule
        return self.job.with_config(
            self.job.config.network, epochs=epochs, schedule=schedule.model_copy(update={"warmup_epochs": warmup})
        )


def better_epochs(content: Mapping[str, Any], planned: int, step_seconds: float, seconds_left: float) -> int:
    """Returns how many epochs fill the budget, or the planned ones if the difference does not pay.

    It assumes that evaluations and checkpoints are faster or slower by the same factor as steps, and that starting
    again takes as long as the first start.

    Args:
        content: The choice of the budget.
        planned: The epochs of the choice.
        step_seconds: How long a step took in the first epoch.
        seconds_left: The rest of the budget after the first epoch.
    """
    chosen = next(one for one in content["considered"] if one["name"] == content["name"])
    most, measured = content.get("most_epochs"), chosen.get("step_seconds")
    if not most or not measured:  # written by an earlier version
        return planned
    factor = step_seconds / measured
    epoch = factor * chosen["epoch_seconds"]
    fitting = 1 + math.floor((USED * seconds_left - factor * chosen["startup_seconds"]) / epoch)
    epochs = min(fitting, most)
    is_in_time = (planned - 1) * epoch <= (1 + LATE) * seconds_left
    pays = abs(epochs - planned) > _LEAST_CHANGE * planned
    return epochs if pays and (epochs > planned or (epochs > 1 and not is_in_time)) else planned


def keeps_first_rates(job: "TrainingJob", again: "TrainingJob", steps: int) -> bool:
    """Whether both plans have one phase, with the same learning rates in the steps of the first epoch."""
    plans = [phases(one.config, 1.0) for one in (job, again)]
    if any(len(one) > 1 for one in plans):
        return False
    rates = [
        build_schedule(learning_rate=1.0, steps_per_epoch=steps, epochs=len(one.epochs), **one.schedule.model_dump())
        for (one,) in plans
    ]
    first, second = (np.broadcast_to(rate(np.arange(steps + 1)), steps + 1) for rate in rates)
    return bool(np.array_equal(first, second))
