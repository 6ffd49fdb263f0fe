"""The section search: which keys of a training are to be found by trying, and how."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.config.section import Section, merge
from efficientmixnet.modules.config.training_config import TrainingConfig


def _annotations(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, field in section.model_fields.items():
        yield prefix + name, field.annotation
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _annotations(field.annotation, f"{prefix}{name}.")


_KEYS = {**dict(_annotations(NetworkConfig, "network.")), **dict(_annotations(TrainingConfig, "training."))}
# These are the same for all trials: Transform has written the images, and the recipe has been filled in.
_FIXED = {
    "network.image_size": "Transform writes images of one size; compare sizes in runs of their own",
    "network.crop_fraction": "Transform writes images of one size; compare crops in runs of their own",
    "training.recipe": "give the keys that the recipes differ in",
}


class Dimension(Section):
    """The values that one key may have: a list of them, or the numbers of a range."""

    values: tuple[Any, ...] = ()
    min: int | float | None = None
    max: int | float | None = None
    step: Annotated[float, Field(gt=0)] | None = None
    """Only min, min + step and so on; null: any number between, or any whole one where the key takes no other."""
    sampling: Literal["linear", "log"] = "linear"
    """log: each order of magnitude is as likely as the others."""

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
                raise ValueError("values: give either these, or min and max")
            return self
        if self.min is None or self.max is None:
            raise ValueError("values: give a list, or both min and max")
        if not self.min < self.max:
            raise ValueError(f"min: {self.min:g} is not less than max {self.max:g}")
        if self.sampling == "log" and (self.min <= 0 or self.step):
            raise ValueError("sampling: log needs a min above 0, and no step")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values, or the least and the greatest."""
        return self.values or (self.min, self.max)


def _known(key: str) -> str:
    if key in _FIXED:
        raise ValueError(f"cannot be searched: {_FIXED[key]}")
    if key not in _KEYS:
        names = {known.rpartition(".")[2]: known for known in _KEYS}
        close = difflib.get_close_matches(key.rpartition(".")[2], names, n=1)
        raise ValueError("no such key of network or training" + (f"; did you mean {names[close[0]]}?" if close else ""))
    return key


class SearchConfig(Section):
    trials: int = Field(20, ge=1)
    """Trainings at the most; the best one's values are those that the model is then trained with."""
    objective: Literal["val_accuracy", "val_loss"] = "val_accuracy"
    """What makes a trial the best: the highest accuracy or the lowest loss on the evaluation split."""
    algorithm: Literal["bayesian", "random", "hyperband"] = "bayesian"
    """bayesian: each trial learns from those before; random; hyperband: many begin, and only the best go on."""
    epochs: int | None = Field(None, ge=1)
    """Of a trial; null: training.epochs."""
    workers: int = Field(1, ge=1)
    """Trials at a time, each in a process of its own, and where there are GPUs each on the next of them."""
    space: dict[Annotated[str, AfterValidator(_known)], Dimension] = {}
    """By key of network or training, a list of values or a range, such as {training.learning_rate: {min: 0.0001,
    max: 0.1, sampling: log}, network.norm: [bn, an]}; empty: no search."""

    @property
    def direction(self) -> Literal["max", "min"]:
        """Of the objective, for whoever searches."""
        return "max" if self.objective == "val_accuracy" else "min"

    def of_a_trial(self, model: ModelConfig) -> ModelConfig:
        """The configuration that all trials have in common."""
        return with_values(model, {"training.epochs": self.epochs} if self.epochs else {})

    def misfits(self, model: ModelConfig) -> Iterator[tuple[str, Any, ValidationError | str]]:
        """Each key with a value that it cannot have in this configuration, and why."""
        if not self.space:
            return
        try:
            common = self.of_a_trial(model)
        except ValidationError as error:
            yield "epochs", self.epochs, error
            return
        for key, dimension in self.space.items():
            if not dimension.values and not takes_numbers(key):
                yield f"space.{key}", [dimension.min, dimension.max], "it takes no numbers; give a list of values"
                continue
            for value in dimension.ends:
                try:
                    with_values(common, {key: value})
                except ValidationError as error:
                    yield f"space.{key}", value, error


def with_values(model: ModelConfig, values: Mapping[str, Any]) -> ModelConfig:
    """The configuration with other values for some keys, such as training.learning_rate.

    Raises:
        ValidationError: they do not fit together.
    """
    changed = model.model_dump(mode="json", include={"network", "training"})
    for key, value in values.items():
        for part in reversed(key.split(".")):
            value = {part: value}
        changed = merge(changed, value)
    return ModelConfig.model_validate(changed)


def as_choices(values: Sequence[Any]) -> list[Any]:
    """The values as a search library takes them: numbers, or text."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return list(values) if numbers else [json.dumps(value) for value in values]


def found_values(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """By key what a search library chose, as the configuration has it; what it notes of its own is left out."""
    return {
        key: json.loads(value) if isinstance(value, str) else value for key, value in chosen.items() if key in _KEYS
    }


def takes_numbers(key: str) -> bool:
    """Whether a range makes sense for this key."""
    return bool(_types(key) & {int, float})


def takes_whole_numbers(key: str) -> bool:
    """Whether this key takes no numbers but whole ones."""
    return int in _types(key) and float not in _types(key)


def _types(key: str) -> set[Any]:
    """Those of `int | None` and the like, in and out of Annotated."""

    def plain(annotation: Any) -> Iterator[Any]:
        yield annotation
        for inner in get_args(annotation):
            yield from plain(inner)

    return set(plain(_KEYS[key]))
