"""Section: the base of every section of the configuration."""

from os import PathLike, fspath
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


def _as_text(path: Any) -> Any:
    return fspath(path) if isinstance(path, PathLike) else path


Fraction = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
TAKES_PATHS = BeforeValidator(_as_text)
"""In a type of text: it takes path objects too."""
PathText = Annotated[str, Field(min_length=1), TAKES_PATHS]

MOST_EPOCHS = 1_000_000
A_YEAR = 366 * 24 * 60  # minutes


class Section(BaseModel):
    """A section of the configuration. It is immutable, and refuses unknown keys, and true where it needs a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic reads true as 1, and YAML reads yes and on as true."""
        found = kinds(cls.model_fields[str(info.field_name)].annotation)
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else (value,)
        if found & {int, float} and not found & {bool, Any} and any(isinstance(one, bool) for one in inner):
            raise PydanticCustomError("number", "should be a number")
        return value


def kinds(annotation: Any) -> set[Any]:
    """Returns all types in an annotation, such as int and None for `int | None`."""
    return {annotation, *(kind for inner in get_args(annotation) for kind in kinds(inner))}


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Returns two nested mappings as one. Where both have a value, the one of `above` counts.

    An `optimizer`, and a `norm` with a kind, are replaced as a whole, because the arguments belong to the name.

    Example:
        >>> merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
        {'a': {'x': 1, 'y': 3}}
    """
    merged = dict(below)
    for key, value in above.items():
        both_sections = isinstance(value, dict) and isinstance(below.get(key), dict)
        is_new = key == "optimizer" or (key == "norm" and "kind" in (value or {}))
        merged[key] = merge(below[key], value) if both_sections and not is_new else value
    return merged
