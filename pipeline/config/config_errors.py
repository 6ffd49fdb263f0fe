"""Turns the mistakes that pydantic finds into one line each."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


def count_in_words(count: int) -> str:
    return "one thing" if count == 1 else f"{count} things"


def mistake_line(error: Mapping[str, Any], root: type[BaseModel]) -> str:
    """One mistake as a line: the key, what is wrong, what would be right."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # of several sections, whose keys the message names
        return message
    *parents, last = (str(part) for part in error["loc"])
    if last == "[key]":  # pydantic's word for a key of a mapping that is not allowed
        *parents, wrong = parents
        if error["type"] == "value_error":
            return f"{'.'.join(parents)}.{wrong}: {message}"
        return f"{'.'.join(parents)}: {wrong!r} is none of {error['ctx']['expected']}"
    key = ".".join([*parents, last])
    match error["type"]:
        case "extra_forbidden":
            close = _nearest(root, ".".join(parents), last)
            return f"{key}: no such key" + (f"; did you mean {close}?" if close else "")
        case "value_error":
            # Checks of several keys name the key themselves, below the section that the location names.
            return message if message.startswith(key) else f"{key}.{message}"
        case "model_type":
            message = "is a section: give it keys, each on a line of its own"
        case "tuple_type":
            message = "give a list"
    message = message.removeprefix("Input ").partition(", unable to parse")[0]
    return f"{key}: {message[0].lower()}{message[1:]}, not {error['input']!r}"


def reasons(why: ValidationError | str, searched: str, root: type[BaseModel]) -> str:
    if isinstance(why, str):
        return why
    return "; ".join(
        mistake_line(one, root).removeprefix(f"{searched.removeprefix('space.')}: ") for one in why.errors()
    )


def _nearest(root: type[BaseModel], parent: str, wrong: str) -> str | None:
    """The key that was probably meant: the same word in another section, or one beside it that looks alike."""
    by_parent: dict[str, dict[str, str]] = {}
    for key in _keys(root):
        section, _, name = key.rpartition(".")
        by_parent.setdefault(section, {})[name] = key
    for names in by_parent.values():
        if wrong in names:
            return names[wrong]
    beside = by_parent.get(parent, {})
    close = difflib.get_close_matches(wrong, beside, n=1, cutoff=0.5)
    return beside[close[0]] if close else None


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
