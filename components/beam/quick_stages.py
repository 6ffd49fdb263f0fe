"""Removes work that Beam repeats for each stage, which would add seconds to a run with few images.

Beam makes an argument parser whenever it applies a transform, and each parser looks for translations of its messages in
the file system. At the end of each stage, Beam waits for a thread that measures times and sleeps for up to 200 ms.
"""

import gettext
import os
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from apache_beam.runners.worker import statesampler

_PERIOD = 10  # milliseconds between two measurements, and the longest wait

_LANGUAGES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the environment variables that gettext looks at
_find = gettext.find


@cache
def _find_once(domain: str, is_all: bool, languages: tuple[str | None, ...]) -> Any:
    return _find(domain, all=is_all)


def _find_or_remember(
    domain: str,
    localedir: str | None = None,
    languages: Sequence[str] | None = None,
    all: bool = False,
) -> Any:
    if localedir is not None or languages is not None:
        return _find(domain, localedir, languages, all)
    found = _find_once(domain, all, tuple(map(os.environ.get, _LANGUAGES)))
    return list(found) if all else found


class _Sampler(statesampler.StateSampler):
    def __init__(self, prefix: str, counter_factory: Any, sampling_period_ms: int = _PERIOD) -> None:
        super().__init__(prefix, counter_factory, sampling_period_ms)


gettext.find = cast(Any, _find_or_remember)
statesampler.StateSampler = _Sampler
