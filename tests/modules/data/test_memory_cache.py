"""Decoded images stay in memory if they fit and are used more than once."""

from pathlib import Path

import pytest

from efficientmixnet.modules.data import memory_cache
from efficientmixnet.modules.data.memory_cache import free_memory, keeps_in_memory
from efficientmixnet.modules.data.records import Records

GIBIBYTE = 2**30


class Pixels(Records):
    """Records with one gibibyte of pixels."""

    def decoded_bytes(self) -> int:
        return GIBIBYTE


TRAIN, EVALUATION = Pixels((), 1), Pixels((), 1)


@pytest.mark.parametrize(
    ("free", "epochs", "kept"),
    [(8.1, 2, True), (7.9, 2, False), (8.1, 1, False), (0, 2, False)],
    ids=["they fit", "they do not fit", "one epoch", "free memory unknown"],
)
def test_auto_keeps_what_fits_into_a_quarter_of_the_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: float, epochs: int, kept: bool
) -> None:
    monkeypatch.setattr(memory_cache, "free_memory", lambda: free * GIBIBYTE)
    assert keeps_in_memory("auto", epochs, TRAIN, EVALUATION) is kept


def test_trainings_at_once_share_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_cache, "free_memory", lambda: 30 * GIBIBYTE)
    monkeypatch.setenv(memory_cache.TRAININGS_VARIABLE, "3")
    assert keeps_in_memory("auto", 2, TRAIN, EVALUATION)
    monkeypatch.setenv(memory_cache.TRAININGS_VARIABLE, "4")
    assert not keeps_in_memory("auto", 2, TRAIN, EVALUATION)


def test_always_and_never_do_not_measure_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_cache, "free_memory", lambda: 1 / 0)
    assert keeps_in_memory("always", 1, TRAIN)
    assert not keeps_in_memory("never", 9, TRAIN)


def test_the_memory_limit_of_a_container_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory_cache, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert free_memory() == 2_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() > 2_000_000
