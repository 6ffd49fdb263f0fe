"""SearchConfig: the section `search` of the configuration, which describes a hyperparameter search."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.section import MOST_EPOCHS, Section, kinds, merge
from efficientmixnet.modules.config.training_config import TrainingConfig


def _annotations(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, field in section.model_fields.items():
        yield prefix + name, field.annotation
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _annotations(field.annotation, f"{prefix}{name}.")


_KEYS = {**dict(_annotations(NetworkConfig, "network.")), **dict(_annotations(TrainingConfig, "training."))}
# All trials share these keys: Transform has written the images, and the recipe has set its values.
_FIXED = {
    "network.image_size": "Transform writes images of one size; compare sizes in separate runs",
    "network.crop_fraction": "Transform writes images of one size; compare crops in separate runs",
    "training.recipe": "search the keys in which the recipes differ",
    "training.budget": "it sets the epochs and may set the network; search training.epochs",
}


_SMOOTHING = "training.label_smoothing"
_DIRECTIONS: dict[str, Literal["max", "min"]] = {"val_accuracy": "max", "val_loss": "min"}


class Dimension(Section):
    """The values that the search tries for one key: a list, or the numbers of a range."""

    values: tuple[Any, ...] = ()
    min: int | float | None = None
    max: int | float | None = None
    step: Annotated[float, Field(gt=0)] | None = None
    """Tries only min, min + step and so on; null: any number of the range, or any integer if the key is an integer."""
    sampling: Literal["linear", "log"] = "linear"
    """linear, or log: all orders of magnitude are equally likely."""

    @model_validator(mode="before")
    @classmethod
    def _list_is_values(cls, given: Any) -> Any:
        if isinstance(given, (list, tuple)):
            return {"values": given}
        if not isinstance(given, (Mapping, Dimension)):
            raise ValueError(f"values: give a list, or {{min: ..., max: ...}}, not {given!r}")
        return given

    @model_validator(mode="after")
    def _is_list_or_range(self) -> "Dimension":
        if self.values:
            if (self.min, self.max, self.step) != (None, None, None):
                raise ValueError("values: give either a list, or min and max")
            return self
        if self.min is None or self.max is None:
            raise ValueError("values: give a list, or both min and max")
        if not self.min < self.max:
            raise ValueError(f"min: {self.min:g} is not less than max {self.max:g}")
        if self.step and self.step > self.max - self.min:
            raise ValueError(f"step: {self.step:g} is more than the range from {self.min:g} to {self.max:g}")
        if self.sampling == "log" and (self.min <= 0 or self.step):
            raise ValueError("sampling: log needs a min above 0, and no step")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values of the list, or the limits of the range."""
        return self.values or (self.min, self.max)


def _searchable(key: str) -> str:
    if key in _FIXED:
        raise ValueError(f"cannot be searched: {_FIXED[key]}")
    if key not in _KEYS:
        names = {known.rpartition(".")[2]: known for known in _KEYS}
        close = difflib.get_close_matches(key.rpartition(".")[2], names, n=1)
        hint = f"; did you mean {names[close[0]]}?" if close else ""
        raise ValueError(f"no such key of network or training{hint}")
    return key


class SearchConfig(Section):
    trials: int = Field(20, ge=1, le=100_000)
    """The number of trial trainings. The model is then trained with the values of the best one."""
    objective: Literal["val_accuracy", "val_loss"] = "val_accuracy"
    """The best trial has the highest val_accuracy or the lowest val_loss, on the evaluation split."""
    algorithm: Literal["bayesian", "random", "hyperband"] = "bayesian"
    """bayesian: new trials use the results so far; random; hyperband: many short trials, of which the best continue."""
    epochs: int | None = Field(None, ge=1, le=MOST_EPOCHS)
    """The epochs of each trial; null: training.epochs."""
    workers: int = Field(1, ge=1, le=1024)
    """How many trials run at the same time, each in its own process. On a machine with GPUs, each uses one."""
    space: dict[Annotated[str, AfterValidator(_searchable)], Dimension] = {}
    """A list of values or a range for each key of network or training to search, such as {training.learning_rate:
    {min: 0.0001, max: 0.1, sampling: log}, network.norm: [bn, an]}; {}: no search."""

    @model_validator(mode="after")
    def _trials_have_the_same_loss(self) -> "SearchConfig":
        if self.objective == "val_loss" and _SMOOTHING in self.space:
            raise ValueError(f"objective: val_loss depends on {_SMOOTHING}, which the trials change; give val_accuracy")
        return self

    @property
    def direction(self) -> Literal["max", "min"]:
        """Whether the best objective is the highest or the lowest."""
        return _DIRECTIONS[self.objective]

    def of_a_trial(self, model: ModelConfig) -> ModelConfig:
        """Returns the configuration that all trials share."""
        return with_values(model, {"training.epochs": self.epochs} if self.epochs else {})

    def misfits(self, model: ModelConfig) -> Iterator[tuple[str, Any, ValidationError | str]]:
        """Yields each key whose values this configuration refuses, with the value and the reason."""
        if not self.space:
            return
        try:
            common = self.of_a_trial(model)
        except ValidationError as error:
            yield "epochs", self.epochs, error
            return
        for key, dimension in self.space.items():
            if not dimension.values and not takes_numbers(key):
                yield f"space.{key}", [dimension.min, dimension.max], "it is not a number; give a list of values"
                continue
            if key.endswith("_epochs") and self.epochs not in (None, model.training.epochs):
                yield "epochs", self.epochs, f"the values of {key} would be for these epochs; leave search.epochs out"
                continue
            if takes_whole_numbers(key) and (dimension.step or 1) % 1:
                yield f"space.{key}.step", dimension.step, "the values are whole numbers, so it must be one too"
            for value in dimension.ends:
                try:
                    with_values(common, {key: value})
                except ValidationError as error:
                    yield f"space.{key}", value, error


def with_values(model: ModelConfig, values: Mapping[str, Any]) -> ModelConfig:
    """Returns the configuration with new values.

    Args:
        model: The configuration to start from. It does not change.
        values: The new value of each key, such as training.learning_rate.

    Raises:
        ValidationError: A value is refused, or the values do not fit together.
    """
    changed = model.model_dump(mode="json", include={"network", "training"})
    epochs, decay = values.get("training.epochs"), "training.schedule.decay_epochs"
    if isinstance(epochs, int) and epochs > 0 and decay not in values:
        schedule = changed["training"]["schedule"]  # It is meant for the present epochs.
        schedule["decay_epochs"] = max(schedule["decay_epochs"] * epochs / model.training.epochs, 0.001)
    for key, value in values.items():
        for part in reversed(key.split(".")):
            value = {part: value}
        changed = merge(changed, value)
    return ModelConfig.model_validate(changed)


def as_choices(values: Sequence[Any]) -> list[Any]:
    """Returns the values in a form that search libraries accept: numbers, or JSON as text."""
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        whole = all(isinstance(value, int) for value in values)
        return list(values) if whole else list(map(float, values))  # KerasTuner takes one type
    return [json.dumps(value) for value in values]


def found_values(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the value that a search chose for each key, without the search library's own entries."""
    return {
        key: json.loads(value) if isinstance(value, str) else value for key, value in chosen.items() if key in _KEYS
    }


def takes_numbers(key: str) -> bool:
    """Whether the key accepts numbers, so that it can have a range."""
    return bool(kinds(_KEYS[key]) & {int, float})


def takes_whole_numbers(key: str) -> bool:
    """Whether the key accepts integers only."""
    return int in kinds(_KEYS[key]) and float not in kinds(_KEYS[key])
