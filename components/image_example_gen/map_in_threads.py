"""map_in_threads: reads images in several threads where that is faster than in one.

Only one thread runs Python code at a time, and switching between threads takes as long as reading a small image. So one
thread reads small images twice as fast as several. Several threads are faster if an image takes long to fetch or to
decode, because neither is done in Python.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_SAMPLE = 5  # items
_SLOW = 1e-3  # seconds for an item, on average
_TOGETHER = 4  # items that a thread takes at a time


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yields the function's result for each item, in order. Few items are read ahead of the results.

    Args:
        function: Is called in this thread if the first items take less than a millisecond each, otherwise in several.
        items: The arguments.
    """
    left = iter(items)
    seconds = []
    for item in islice(left, 1 + _SAMPLE):
        began = time.perf_counter()
        result = function(item)
        seconds.append(time.perf_counter() - began)
        yield result
    if sum(seconds[1:]) < _SLOW * _SAMPLE:  # The first call can also load a decoder.
        yield from map(function, left)
        return
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as threads:
        running: deque[Future[list[Result]]] = deque()
        while together := list(islice(left, _TOGETHER)):
            running.append(threads.submit(lambda items: [function(item) for item in items], together))
            if len(running) > 2 * cores:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
