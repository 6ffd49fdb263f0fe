"""Small images are read in one thread, and those that take long in several, always in order."""

import os
import threading
import time
from itertools import count, islice

import pytest

from efficientmixnet.components.image_example_gen.map_in_threads import map_in_threads


def _slowly(item: int) -> tuple[int, int]:
    """Returns the item and its thread. Every fourth item takes longer than those behind it."""
    time.sleep(0.02 if item % 4 == 0 else 0.002)
    return item, threading.get_ident()


def test_quick_calls_stay_in_this_thread():
    threads = set(map_in_threads(lambda _: threading.get_ident(), range(200)))
    assert threads == {threading.get_ident()}


def test_slow_calls_are_spread_over_threads_and_keep_their_order():
    results = list(map_in_threads(_slowly, range(40)))
    assert [item for item, _ in results] == list(range(40))
    assert {thread for _, thread in results} - {threading.get_ident()}


@pytest.mark.parametrize("items", [0, 1, 4, 5, 6, 9, 10])
def test_no_item_is_lost_or_repeated(items):
    assert [item for item, _ in map_in_threads(_slowly, iter(range(items)))] == list(range(items))


def test_one_slow_first_call_needs_no_threads():
    """TensorFlow and Pillow load their decoders for the first image."""

    def call(item: int) -> int:
        time.sleep(0.1 if item == 0 else 0)
        return threading.get_ident()

    assert set(map_in_threads(call, range(50))) == {threading.get_ident()}


@pytest.mark.parametrize("slow", [False, True])
def test_items_are_read_only_a_little_ahead(slow):
    read = []

    def items():
        for item in count():
            read.append(item)
            yield item

    found = list(islice(map_in_threads(_slowly if slow else lambda item: (item, 0), items()), 20))
    assert [item for item, _ in found] == list(range(20))
    assert len(read) <= 20 + 4 * (2 * os.cpu_count() + 2)  # four for each call that waits, two calls for each core


@pytest.mark.parametrize("seconds", [0, 0.002])
def test_an_error_reaches_the_caller(seconds):
    def call(item: int) -> int:
        time.sleep(seconds)
        if item == 30:
            raise ValueError("item 30")
        return item

    with pytest.raises(ValueError, match="item 30"):
        list(map_in_threads(call, range(40)))
