"""traced_once: Transform traces its function once to find what it reads, and loads each graph once for all splits.

TFT traces the function for each question about what it reads, and loads the same graph for each split. Together, that
takes longer than the work on a few images.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow_transform import impl_helper
from tensorflow_transform.beam.impl import _RunMetaGraphDoFn


@contextmanager
def traced_once() -> Iterator[None]:
    """In the body, TFT shares the graphs that it traces from equal functions or loads from the same folder."""
    trace, load = impl_helper.trace_preprocessing_function, _RunMetaGraphDoFn._GraphStateV2
    traced: list[tuple[tuple[Any, ...], Any]] = []
    loaded: dict[tuple[str, frozenset[str], frozenset[str]], Any] = {}

    def trace_once(
        function: Callable[..., Any],
        specs: Mapping[str, tf.TypeSpec],
        use_tf_compat_v1: bool,
        base_temp_dir: str | None = None,  # Its presence changes the names of the graph's nodes.
    ) -> Any:
        wanted = function, specs, use_tf_compat_v1, base_temp_dir
        for known, graph in traced:
            if known == wanted:
                return graph
        graph = trace(*wanted)
        traced.append((wanted, graph))
        return graph

    def load_once(folder: str, inputs: set[str], left_out: list[str]) -> Any:
        key = folder, frozenset(inputs), frozenset(left_out)
        if key not in loaded:
            loaded[key] = load(folder, inputs, left_out)
        return loaded[key]

    impl_helper.trace_preprocessing_function = trace_once
    _RunMetaGraphDoFn._GraphStateV2 = staticmethod(load_once)  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        impl_helper.trace_preprocessing_function = trace
        _RunMetaGraphDoFn._GraphStateV2 = load  # type: ignore[misc]
