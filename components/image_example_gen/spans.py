"""Spans and versions, as in TFX: growing data in folders whose names contain a number or a date."""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from efficientmixnet.components.image_example_gen.files import File, is_remote, list_files
from efficientmixnet.modules.exceptions import BadInput

# {SPAN}, {SPAN:3} with three digits, {VERSION}, or a date, {YYYY}, {MM} and {DD}. The span of a date is the number of
# days since 1970.
_TOKEN = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::(\d+))?\}")
_DIGITS = {"YYYY": 4, "MM": 2, "DD": 2}


@dataclass(frozen=True, order=True)
class Span:
    """A version of a span.

    Args:
        number: The number of the span.
        version: The number of the version; 0 without versions.
        path: The folder or file.
    """

    number: int
    version: int
    path: str


def has_spans(pattern: str) -> bool:
    """Returns whether the path contains {SPAN}, {VERSION} or a date."""
    return bool(_TOKEN.search(pattern))


def with_span(data: str, manifest: str | None, number: int | None) -> tuple[str, str | None, Span | None]:
    """Returns data and manifest with the numbers of the span and its version, and the span if one has a pattern.

    If both have one, they get the same span, and the same version if both have versions.

    Args:
        data: The folder or file of the images.
        manifest: The manifest; None for none.
        number: The number of the span; None for the latest, of the manifest if it has spans.

    Raises:
        BadInput: There is no such span, or a pattern is not valid.
    """
    if not manifest or not has_spans(manifest):
        span = find_span(data, number) if has_spans(data) else None
        return span.path if span else data, manifest, span
    span = find_span(manifest, number)
    return _of_span(data, span) if has_spans(data) else data, span.path, span


def _of_span(pattern: str, span: Span) -> str:
    """Returns the path with the numbers of a span, in the highest version if the span has no versions."""
    found = [one for one in _spans(pattern) if one.number == span.number]
    same = [one for one in found if not span.version or one.version in (0, span.version)]
    if not same:
        version = f" in version {span.version}" if span.version else ""
        raise BadInput(
            f"data.images: no file or folder matches {pattern} for the span {span.number}{version}, which "
            f"data.manifest has ({span.path}). Add it, or choose another one in data.layout.span."
        )
    return max(same).path


def find_span(pattern: str, number: int | None) -> Span:
    """Returns the highest version of a span.

    Args:
        pattern: The path with braces.
        number: The number of the span; None for the latest.

    Raises:
        BadInput: There is no such span, or the pattern is not valid.
    """
    spans = sorted(_spans(pattern))
    if not spans:
        raise BadInput(f"data.images: no file or folder matches {pattern}, with numbers in place of the braces.")
    if number is None:
        return spans[-1]
    chosen = [span for span in spans if span.number == number]
    if not chosen:
        there = sorted({span.number for span in spans})
        raise BadInput(f"data.layout.span: there is no span {number} in {pattern}. There are {_range(there)}.")
    return chosen[-1]


def _spans(pattern: str) -> Iterator[Span]:
    names = [match[1] for match in _TOKEN.finditer(pattern)]
    if "SPAN" not in names and not {"YYYY", "MM", "DD"} <= set(names):
        raise BadInput(f"data.images: {pattern} must contain {{SPAN}}, or {{YYYY}}, {{MM}} and {{DD}}.")
    if len(names) > len(set(names)):
        raise BadInput(f"data.images: {pattern} contains the same braces twice.")
    matcher = re.compile(_as_expression(pattern.rstrip("/")))
    for path in _candidates(pattern.rstrip("/")):
        if found := matcher.fullmatch(path):
            values = {name: int(value) for name, value in found.groupdict().items()}
            if "SPAN" in values:
                number = values["SPAN"]
            else:
                try:
                    number = (date(values["YYYY"], values["MM"], values["DD"]) - date(1970, 1, 1)).days
                except ValueError:
                    continue  # such as the 31st of February
            yield Span(number, values.get("VERSION", 0), path)


def _as_expression(pattern: str) -> str:
    parts, end = [], 0
    for match in _TOKEN.finditer(pattern):
        digits = int(match[2]) if match[2] else _DIGITS.get(match[1])
        parts += [re.escape(pattern[end : match.start()]), rf"(?P<{match[1]}>\d{f'{{{digits}}}' if digits else '+'})"]
        end = match.end()
    return "".join([*parts, re.escape(pattern[end:])])


def _candidates(pattern: str) -> set[str]:
    """Returns every path that may match."""
    if not is_remote(pattern):
        parts = _TOKEN.split(pattern)[::3]  # the text between the tokens
        return set(glob.glob("*".join(glob.escape(part) for part in parts)))
    above = pattern[: _TOKEN.search(pattern).start()].rpartition("/")[0]  # type: ignore[union-attr]
    depth = pattern.count("/") + 1
    files = (file.path for file in list_files(above) if isinstance(file, File))
    return {"/".join(path.split("/")[:depth]) for path in files}


def _range(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) if len(numbers) <= 5 else f"{numbers[0]} to {numbers[-1]}"
