"""Garbage is collected less often in a run, and as before after it."""

import gc

import pytest

from efficientmixnet.pipeline.local.rare_collections import rare_collections


def test_many_objects_lead_to_few_collections() -> None:
    before, count = gc.get_threshold(), gc.get_stats()[0]["collections"]
    with rare_collections():
        kept = [[] for _ in range(50_000)]
        assert gc.get_stats()[0]["collections"] - count <= len(kept) / 10_000
    assert gc.get_threshold() == before


def test_the_threshold_is_restored_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), rare_collections():
        raise KeyError
    assert gc.get_threshold() == before
