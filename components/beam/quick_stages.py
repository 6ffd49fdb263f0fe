"""Removes work that Beam repeats for each stage, which would add seconds to a run with few images.

Beam parses its options with a new argument parser whenever it applies a transform. It looks up the arguments of
all methods of each DoFn about eight times. At the end of each stage, it waits for a thread that measures times and
sleeps for up to 200 ms.
"""

import copy
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast
from weakref import WeakKeyDictionary

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.worker import statesampler
from apache_beam.transforms import core

_PERIOD = 10  # milliseconds between two measurements, and the longest wait

_parse = PipelineOptions.__init__
_look_up = core.get_function_args_defaults

_Arguments = tuple[list[str], list[Any]]
_of_functions: WeakKeyDictionary[Callable[..., Any], _Arguments] = WeakKeyDictionary()
_of_methods: WeakKeyDictionary[Callable[..., Any], _Arguments] = WeakKeyDictionary()


@cache
def _parsed(kind: Any, flags: tuple[str, ...]) -> PipelineOptions:
    options: PipelineOptions = kind.__new__(kind)
    _parse(options, flags)
    return options


def _parse_once(self: PipelineOptions, flags: Sequence[str] | None = None, **kwargs: Any) -> None:
    if kwargs or flags is None or isinstance(flags, str):
        return _parse(self, flags, **kwargs)
    # Beam changes the values in place, so each object needs its own.
    self.__dict__.update(copy.deepcopy(_parsed(cast(Any, type(self)), tuple(flags)).__dict__), _flags=flags)
    return None


def _look_up_once(function: Callable[..., Any]) -> _Arguments:
    method = getattr(function, "__func__", None)
    known, key = (_of_functions, function) if method is None else (_of_methods, method)
    try:
        found = known.get(key)
        if found is None:
            found = known[key] = _look_up(function)
    except TypeError:  # It cannot be a key.
        found = _look_up(function)
    names, defaults = found
    return list(names), list(defaults)


class _Sampler(statesampler.StateSampler):
    def __init__(self, prefix: str, counter_factory: Any, sampling_period_ms: int = _PERIOD) -> None:
        super().__init__(prefix, counter_factory, sampling_period_ms)


PipelineOptions.__init__ = _parse_once
core.get_function_args_defaults = _look_up_once
statesampler.StateSampler = _Sampler
