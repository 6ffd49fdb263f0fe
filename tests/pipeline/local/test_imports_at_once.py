"""Tests that garbage collection is off during imports."""

import gc
from collections.abc import Iterator

import pytest

from efficientmixnet.pipeline.local.imports_at_once import imports_at_once


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_no_garbage_is_collected_during_the_imports() -> None:
    collections = gc.get_stats()[0]["collections"]
    with imports_at_once():
        kept = [[] for _ in range(100_000)]
    assert gc.get_stats()[0]["collections"] == collections
    assert gc.get_freeze_count() > len(kept)


def test_garbage_collection_is_restored_after_a_failed_import() -> None:
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
