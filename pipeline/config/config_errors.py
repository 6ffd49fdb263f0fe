"""Turns the errors of pydantic into one line each."""

import difflib
import reprlib
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from efficientmixnet.modules.text.secrets import MASK, is_secret_name, mask


def problems_found(count: int) -> str:
    return "1 problem found" if count == 1 else f"{count} problems found"


def shortened(text: str, most: int = 80) -> str:
    """Returns the text without its middle if it has more characters than `most`."""
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 2 :]}"


def problems(why: ValidationError, root: type[BaseModel]) -> list[dict[str, Any]]:
    """Returns the errors of pydantic, of which each key of several types, such as bool or 'auto', has only one."""
    found: list[dict[str, Any]] = []
    for error in why.errors():
        key, inside = _key_and_type(error["loc"], root)
        item = (*key, *inside[1:])  # of a list, or the key itself
        of_key = [one for one in found if inside and one["loc"][: len(key)] == key]
        if of_key and of_key[-1]["loc"] == item:
            other = _short(error["msg"]).removeprefix("Input should be ")
            of_key[-1]["msg"] = f"{_short(of_key[-1]['msg'])} or {other}"
        elif not of_key or item != key:
            found.append(dict(error, loc=item))
    return found


def _key_and_type(where: tuple[Any, ...], root: type[BaseModel]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Splits a location behind a key of several types. If there is none, the second part is empty."""
    section: Any = root
    for position, name in enumerate(where, 1):
        field = getattr(section, "model_fields", {}).get(name)
        if field is None:
            break
        section = field.annotation
        if get_origin(section) in (Union, UnionType) and len({*get_args(section)} - {NoneType}) > 1:
            return where[:position], where[position:]
    return where, ()


def problem_line(error: Mapping[str, Any], root: type[BaseModel]) -> str:
    """Returns an error of pydantic as one line: the key, what is wrong, and what is allowed."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # A check of several sections: the message names the keys.
        return message
    *parents, last = (str(part) for part in error["loc"])
    if last == "[key]" or error["type"] == "invalid_key":
        return _key_line(error, ".".join(parents if last != "[key]" else parents[:-1]), message)
    key = ".".join([*parents, last])
    match error["type"]:
        case "extra_forbidden":
            close = _nearest(root, ".".join(parents), last)
            return f"{key}: no such key" + (f"; did you mean {close}?" if close else "")
        case "value_error":
            # A check of several keys names the key itself; the location has only the section.
            return message if message.startswith(key) else f"{key}.{message}"
        case "model_type":
            message = "should be a section with keys"
        case "tuple_type":
            message = message.replace("a valid tuple", "a list")
    message = _short(message).removeprefix("Input ")
    given = MASK if is_secret_name(key) else mask(shortened(reprlib.repr(error["input"])))
    return f"{key}: {message[0].lower()}{message[1:]}, not {given}"


def _short(message: str) -> str:
    return message.partition(", unable to ")[0]


def _key_line(error: Mapping[str, Any], where: str, message: str) -> str:
    """Returns an error of a key in the section `where`, after whose name pydantic writes `[key]`."""
    key = error["input"]
    if not isinstance(key, str):
        return f"{where or 'configuration'}: the key {key!r} is not text; put it in quotes"
    if "expected" in error.get("ctx", {}):
        return f"{where}: {key!r} is not one of {error['ctx']['expected']}"
    if error["type"] == "name":
        return f"{where}: the name {shortened(repr(key))} {message}"
    return f"{where}.{key}: {message}"


def reasons(why: ValidationError | str, searched: str, root: type[BaseModel]) -> str:
    """Returns why a value of the key `searched` is refused, as part of a line."""
    if isinstance(why, str):
        return why
    return "; ".join(
        problem_line(one, root).removeprefix(f"{searched.removeprefix('space.')}: ") for one in problems(why, root)
    )


def _nearest(root: type[BaseModel], parent: str, wrong: str) -> str | None:
    """The key that was probably meant: the same name in another section, or a similar name in the same section."""
    by_parent: dict[str, dict[str, str]] = {}
    for key in _keys(root):
        section, _, name = key.rpartition(".")
        by_parent.setdefault(section, {})[name] = key
    for names in by_parent.values():
        if wrong in names:
            return names[wrong]
    siblings = by_parent.get(parent, {})
    close = difflib.get_close_matches(wrong, siblings, n=1, cutoff=0.5)
    return siblings[close[0]] if close else None


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
