"""within_budget: chooses the network and the epochs of a training that has a budget of time.

Networks are measured by a few training steps with the real images on this device. Measurements take about a twentieth
of the budget. The rule is in budget_rule.py. The epochs fill the budget, up to ten times what is enough. replan.py
can change them when the first one ends.
"""

import json
import math
import shutil
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.distribution.distribution import Distribution
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.exported_model import BUDGET
from efficientmixnet.modules.files.stored_file import read_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.network.cost import summarize
from efficientmixnet.modules.network.ladder import ladder
from efficientmixnet.modules.training.budget_rule import Candidate, Rung, choose, explore
from efficientmixnet.modules.training.measure_network import Speed, measure_network
from efficientmixnet.modules.training.regularization import regularized

if TYPE_CHECKING:
    from efficientmixnet.modules.training.training_job import TrainingJob

CHOICE = "budget.json"
_ENOUGH = {False: (12, 400_000), True: (5, 10_000)}  # epochs and images, by whether weights are trained already
_MOST = 10  # times enough
USED = 0.97  # of the budget; the rest is for what varies
_FOR_STEPS = 0.005  # of the budget, for the steps of one network
_FOR_MEASUREMENTS = 0.05  # of the budget, for all networks
_PARTS = (1, 2, 4)  # of a batch, until it fits in memory
_STEP = 1.25  # times the multiply-adds of the network before it


def within_budget(job: "TrainingJob", distribution: Distribution) -> ModelConfig:
    """Returns the configuration with the chosen network and epochs. Without a budget it is unchanged.

    The choice is written next to the checkpoints, so that a training that resumes keeps it.

    Args:
        job: The training.
        distribution: The devices.

    Raises:
        BadInput: The budget is not enough for one epoch, or several machines train.
        OutOfMemory: The given network, or even the smallest one, does not fit in memory.
    """
    budget = job.config.training.budget_seconds
    if budget is None:
        return job.config
    if distribution.workers > 1:
        raise BadInput("training.budget: is for one machine; set training.epochs to train on several")
    file = Path(job.checkpoints, CHOICE)
    checkpoint_copies.fetch(file.parent)
    if file.exists():
        kept = ModelConfig.model_validate(read_json(file, f"delete {file}", "config")["config"])
        progress.tell(f"training.budget: continues with {kept.training.epochs} epochs")
        return kept
    end = time.monotonic() + budget
    enough, most = enough_epochs(job, distribution)
    rungs = candidates(job.config.network, job.data(distribution).train.channels)
    # The crops of the training, because larger ones take longer to decode.
    measured_job = job.model_copy(update={"config": regularized(job.config, enough)})
    measurements = _Measurements(measured_job, distribution, budget, end)
    measured = explore(rungs, measurements, enough)
    chosen, why = choose(measured, enough)
    if chosen.epochs < 1:
        raise BadInput(
            f"training.budget: {job.config.training.budget} is not enough for one epoch of {chosen.name}: the "
            f"measurements took {budget - (end - time.monotonic()):,.0f} s, the start takes "
            f"{chosen.startup_seconds:,.0f} s and an epoch {chosen.epoch_seconds:,.0f} s; give more time"
        )
    # The later measurements took time too.
    epochs = min(max(measurements.epochs_left(chosen.name), 1), most)
    network = next(rung.network for rung in rungs if rung.name == chosen.name)
    fitting = job.with_config(network, **in_parts(job.config.training, chosen.parts))
    config = with_epochs(fitting.config, epochs)
    progress.tell(f"training.budget: {job.config.training.budget}: {chosen.name}, {epochs} epochs; {why}")
    if names := keys_without_effect(job.config.network, network):
        keys = " and ".join(f"network.{name}" for name in names)
        progress.tell(f"{keys}: no effect, because {chosen.name} has no depthwise convolutions")
    considered = [asdict(one) for one in measured]
    content = {
        "config": config.model_dump(mode="json"),
        "name": chosen.name,
        "why": why,
        "considered": considered,
        "most_epochs": most,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(content))
    return config


class _Measurements:
    """Measures networks, and prints them. `None`: it does not fit in memory, has no weights, or time is over."""

    def __init__(self, job: "TrainingJob", distribution: Distribution, budget: float, end: float) -> None:
        self._job, self._distribution, self._budget, self._end = job, distribution, budget, end
        self._longest = self._spent = 0.0
        self._speeds: dict[str, Speed] = {}

    def __call__(self, rung: Rung) -> Candidate | None:
        is_first = self._spent == 0
        if not is_first and self._spent + self._longest > _FOR_MEASUREMENTS * self._budget:
            return None
        begin = time.monotonic()
        try:
            speed, parts = self._measure(rung)
        except OutOfMemory:
            if is_first:
                raise
            progress.tell(f"{rung.name}: does not fit in memory")
            return None
        except BadInput as error:  # its weights cannot be downloaded
            if is_first:
                raise
            progress.tell(f"{rung.name} is left out: {error}")
            return None
        finally:
            seconds = time.monotonic() - begin
            self._spent, self._longest = self._spent + seconds, max(self._longest, seconds)
        self._speeds[rung.name] = speed
        epochs = self.epochs_left(rung.name)
        progress.tell(
            f"{rung.name}: {rung.multiply_adds / 1e6:,.1f} million multiply-adds, {speed.epoch_seconds:,.1f} s for an "
            f"epoch, time for {epochs:,} epochs" + (f", with batches in {parts} parts to fit in memory" * (parts > 1))
        )
        return Candidate(
            rung.name,
            rung.multiply_adds,
            speed.startup_seconds,
            speed.epoch_seconds,
            epochs,
            parts,
            rung.is_given,
            speed.step_seconds,
        )

    def epochs_left(self, name: str) -> int:
        """Returns how many epochs of a measured network the rest of the budget has time for."""
        tuning = self._job.config.training.fine_tuning
        return epochs_within(USED * (self._end - time.monotonic()), self._speeds[name], tuning.head_epochs)

    def _measure(self, rung: Rung) -> tuple[Speed, int]:
        """Returns the speed, and in how many parts a batch fits in memory."""
        for parts in _PARTS[:-1]:
            with suppress(OutOfMemory):
                return self._speed(rung, parts), parts
        return self._speed(rung, _PARTS[-1]), _PARTS[-1]

    def _speed(self, rung: Rung, parts: int) -> Speed:
        job = self._job.with_config(rung.network, **in_parts(self._job.config.training, parts))
        return measure_network(job, self._distribution, _FOR_STEPS * self._budget)


def in_parts(training: TrainingConfig, parts: int) -> dict[str, int]:
    """Returns the values of the section `training` that compute a batch in parts, with less memory."""
    return {
        "batch_size": max(training.batch_size // parts, 1),
        "accumulation_steps": training.accumulation_steps * parts,
    }


def epochs_within(seconds: float, speed: Speed, head_epochs: int | None = None) -> int:
    """Returns how many epochs there is time for. With fine-tuning, the first ones train only the classifier.

    Args:
        seconds: The time.
        speed: The time of an epoch, in each phase.
        head_epochs: As in the configuration.
    """
    saved = speed.epoch_seconds - (speed.head_epoch_seconds or speed.epoch_seconds)

    def needed(epochs: int) -> float:
        return speed.startup_seconds + epochs * speed.epoch_seconds - _heads(head_epochs, epochs) * saved

    epochs = max(math.floor((seconds - speed.startup_seconds) / speed.epoch_seconds), 0)
    while saved > 0 and needed(epochs + 1) <= seconds:
        epochs += 1
    return epochs


def _heads(given: int | None, epochs: int) -> int:
    """Returns how many epochs train only the classifier: at most a fifth."""
    return min(3 if given is None else given, epochs // 5)


def keep_choice(checkpoints: str, exported: str) -> None:
    """Copies the choice, if there is one, to the folder of the exported model."""
    file = Path(checkpoints, CHOICE)
    if file.exists():
        shutil.copyfile(file, Path(exported, BUDGET))


def enough_epochs(job: "TrainingJob", distribution: Distribution) -> tuple[int, int]:
    """Returns the epochs that are enough, and the most that are of use."""
    epochs, images = _ENOUGH[job.config.network.weights is not None]
    enough = max(epochs, math.ceil(images / job.data(distribution).train.count))
    return enough, _MOST * enough


def candidates(given: NetworkConfig, channels: int = 3) -> list[Rung]:
    """Returns the networks of the ladder, from the smallest to the largest. A fixed variant is the only one."""
    size = given.image_size or given.default_image_size
    if given.variant != "auto":
        return [Rung(given.variant, given, _multiply_adds(given, size, channels), is_given=True)]
    values = given.model_dump(mode="json")
    networks = [
        (name, NetworkConfig.model_validate({**values, **keys}))
        for name, keys in ladder(size, pretrained=given.weights is not None)
    ]
    rungs = [Rung(name, network, _multiply_adds(network, size, channels)) for name, network in networks]
    chosen: list[Rung] = []
    for one in sorted(rungs, key=lambda rung: rung.multiply_adds):
        if not chosen or one.multiply_adds >= _STEP * chosen[-1].multiply_adds:
            chosen.append(one)
    return chosen


def keys_without_effect(given: NetworkConfig, chosen: NetworkConfig) -> list[str]:
    """Returns the given keys that are about depthwise convolutions, if the chosen network has none."""
    if given.variant != "auto" or not all(block.fused for block in chosen.as_variant().blocks):
        return []
    is_placed = given.norm.kind not in (None, "bn") and given.placed_norm.placement == "depthwise"
    return ["mixed"] * given.mixed + ["norm_placement"] * is_placed


def _multiply_adds(network: NetworkConfig, size: int, channels: int) -> int:
    found = summarize(
        network.as_variant(),
        input_shape=(size, size, channels),
        activation=network.activation,
        norm=network.placed_norm,
        squeeze_excite=network.squeeze_excite,
        include_top=False,
    )
    return found.multiply_adds


def with_epochs(config: ModelConfig, epochs: int) -> ModelConfig:
    """Returns the configuration with these epochs, and what follows from them. The warm-up is at most a tenth."""
    values = config.model_dump(mode="json")
    training = values["training"]
    decay_epochs = training["schedule"]["decay_epochs"] * epochs / training["epochs"]  # for which it was meant
    training["schedule"]["decay_epochs"] = min(max(decay_epochs, 0.001), 1e6)  # as the field allows
    training["epochs"] = epochs
    training["schedule"]["warmup_epochs"] = min(training["schedule"]["warmup_epochs"], epochs / 10)
    head_epochs = training["fine_tuning"]["head_epochs"]
    training["fine_tuning"]["head_epochs"] = head_epochs and _heads(head_epochs, epochs)
    return regularized(ModelConfig.model_validate(values), epochs)
