"""Garbage collection around imports."""

import gc
from collections.abc import Iterator

import pytest

from efficientmixnet.pipeline.local.imports_at_once import imports_at_once


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_nothing_is_collected_within() -> None:
    collections = gc.get_stats()[0]["collections"]
    with imports_at_once():
        kept = [[] for _ in range(100_000)]
    assert gc.get_stats()[0]["collections"] == collections
    assert gc.get_freeze_count() > len(kept)


def test_collection_is_as_it_was_afterwards_even_if_an_import_fails() -> None:
    with pytest.raises(ImportError), imports_at_once():
        raise ImportError
    assert gc.isenabled()
    gc.disable()
    try:
        with imports_at_once():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
