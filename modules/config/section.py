"""Section: the base of every section of the configuration."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A section of the configuration. It is immutable, and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Returns two nested mappings as one. Where both have a value, the one of `above` counts.

    An `optimizer` is replaced as a whole, because its arguments belong to its name.

    Example:
        >>> merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
        {'a': {'x': 1, 'y': 3}}
    """
    merged = dict(below)
    for key, value in above.items():
        both_sections = isinstance(value, dict) and isinstance(below.get(key), dict) and key != "optimizer"
        merged[key] = merge(below[key], value) if both_sections else value
    return merged
