"""Removes work that Beam repeats for each stage, which would add seconds to a run with few images.

Beam parses its options with a new argument parser whenever it applies a transform. It looks up the arguments of
all methods of each DoFn about eight times, and formats the stack wherever a transform has type hints. In each stage, a
thread measures the time of each step, which nothing here reads, and a stage only ends when the thread wakes up. Beam
compresses each function with bzip2, and reads the source of each one for a warning.
"""

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from apache_beam.internal import pickler
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.worker import statesampler
from apache_beam.transforms import core
from apache_beam.typehints.decorators import IOTypeHints

_parse = PipelineOptions.__init__
_look_up = core.get_function_args_defaults
_load = pickler.loads
_origin = IOTypeHints._make_origin.__func__

_BZIP2 = "Qlpo"  # how a text in base64 begins that is compressed with bzip2

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
    """Knows the current step, which Beam's metrics need, and measures no times."""

    def start(self) -> None:
        self.tracked_thread = threading.current_thread()
        statesampler.set_current_tracker(self)
        self.started = True

    def stop(self) -> None:
        statesampler.set_current_tracker(None)


def _origin_without_stack(
    cls: type[IOTypeHints], bases: list[IOTypeHints], tb: bool = True, msg: Iterable[str] = ()
) -> list[str]:
    return _origin(cls, bases, False, msg)


@contextmanager
def quick_pickles() -> Iterator[None]:
    """In the body, Beam compresses functions with zlib. The workers of other runners could not read them."""
    before = pickler.dumps
    pickler.dumps = partial(before, use_zlib=True)
    try:
        yield
    finally:
        pickler.dumps = before


def _load_either(encoded: str | bytes, *args: Any, **kwargs: Any) -> Any:
    return _load(encoded, *args, **{"use_zlib": encoded[: len(_BZIP2)] not in (_BZIP2, _BZIP2.encode()), **kwargs})


PipelineOptions.__init__ = _parse_once
pickler.loads = _load_either
core._check_fn_use_yield_and_return = lambda _: False
core.get_function_args_defaults = _look_up_once
statesampler.StateSampler = _Sampler
IOTypeHints._make_origin = classmethod(_origin_without_stack)
