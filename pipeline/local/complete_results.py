"""Keeps TFX from using a cached result that has lost files, or a pushed model that is gone.

TFX looks only whether the folder of a result exists. So the sizes of its files are recorded when a component has
finished, in a hidden file next to the folder, and compared before the result is used.
"""

import copy
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

from tfx import types
from tfx.orchestration.portable import cache_utils

from efficientmixnet.components.pushed_folder import sizes
from efficientmixnet.modules import progress
from efficientmixnet.modules.files.untrusted_json import parse_json
from efficientmixnet.modules.files.whole_file import write_text


def record_sizes(folders: Iterable[Path]) -> None:
    """Records the sizes of the files in the folders of new results."""
    for folder in folders:
        if folder.is_dir() and not _record(folder).exists():
            write_text(_record(folder), json.dumps(sizes(folder)))


@contextmanager
def only_complete_results(output: Path) -> Iterator[None]:
    """In the body, a component runs again if its cached result is not complete.

    Results are found by their inputs without the place of the output folder, so also after it was moved.

    Args:
        output: The output folder.
    """
    look_up, key = cache_utils.get_cached_outputs, cache_utils.get_cache_context

    def look_up_and_check(*args: Any, **kwargs: Any) -> Any:
        found = look_up(*args, **kwargs)
        missing = next(_missing(found), None) if found else None
        if missing:
            progress.tell(f"{missing} is missing or incomplete, and is made again")
        return None if missing else found

    def key_of_any_place(*args: Any, **kwargs: Any) -> Any:
        given = signature(key).bind(*args, **kwargs)
        _remove_place(given.arguments, f"{output}/")
        return key(*given.args, **given.kwargs)

    cache_utils.get_cached_outputs, cache_utils.get_cache_context = look_up_and_check, key_of_any_place
    try:
        yield
    finally:
        cache_utils.get_cached_outputs, cache_utils.get_cache_context = look_up, key


def _remove_place(given: dict[str, Any], place: str) -> None:
    """Removes the output folder from the inputs and parameters that TFX makes the key of a result from."""
    inputs = copy.deepcopy(given.get("input_artifacts") or {})
    for artifact in (one for listed in inputs.values() for one in listed):
        artifact.uri = artifact.uri.removeprefix(place)
        for value in artifact.mlmd_artifact.custom_properties.values():
            if value.string_value.startswith(place):
                value.string_value = value.string_value.removeprefix(place)
    given["input_artifacts"] = inputs
    given["parameters"] = {
        name: value.replace(place, "") if isinstance(value, str) else value
        for name, value in (given.get("parameters") or {}).items()
    }


def _missing(outputs: dict[str, list[types.Artifact]]) -> Iterator[Path]:
    for artifact in (one for listed in outputs.values() for one in listed):
        folder = Path(artifact.uri)
        recorded = _recorded(folder)
        yield from _not_in(folder, recorded)
        if artifact.type_name == "PushedModel" and artifact.get_int_custom_property("pushed") == 1:
            pushed = Path(artifact.get_string_custom_property("pushed_destination"))
            if any(_not_in(pushed, recorded or sizes(folder))):  # the result is a copy of what was pushed
                yield pushed


def _not_in(folder: Path, recorded: dict[str, int]) -> Iterator[Path]:
    found = sizes(folder)
    return (folder / name for name, size in recorded.items() if found.get(name) != size)


def _recorded(folder: Path) -> dict[str, int]:
    """The recorded sizes. Empty if there is no record, as in earlier versions, or if it is damaged."""
    try:
        return dict(parse_json(_record(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _record(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.sizes.json")
