"""map_in_threads: reads images in several threads where that is faster than in one.

Only one thread runs Python code at a time. To change the thread takes as long as to read a small image, because the
other core does not have its memory at hand. So small images are read twice as fast by one thread. Several threads are
faster for images that are decoded or fetched for a long time, which is not Python code.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from statistics import median
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_SAMPLE = 5  # items; the first ones can take longer than the others
_SLOW = 1e-3  # seconds for an item
_TOGETHER = 4  # items that a thread takes at a time


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yields the function's result for each item, in order. Few items are read ahead of the results.

    Args:
        function: Is called in this thread if it returns within a millisecond, otherwise in several threads.
        items: The arguments.
    """
    left = iter(items)
    seconds = []
    for item in islice(left, _SAMPLE):
        began = time.perf_counter()
        result = function(item)
        seconds.append(time.perf_counter() - began)
        yield result
    if not seconds or median(seconds) < _SLOW:
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
