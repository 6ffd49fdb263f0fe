"""Workers read their own files where there are enough of them, and the training says which way it took."""

import pytest

from efficientmixnet.modules import progress
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.data.sharding import reads_own_files
from efficientmixnet.modules.exceptions import BadInput

EIGHT = Records(tuple(map(str, range(8))), 80, in_files=(10,) * 8)


@pytest.mark.parametrize(
    ("sharding", "workers", "cache", "own", "message"),
    [
        ("auto", 8, "auto", True, "each worker reads its part of the 8 files"),
        ("auto", 9, "auto", False, "each worker reads all records, because there are fewer files (8) than workers (9)"),
        ("auto", 2, "always", False, "each worker reads all records, because the decoded images stay in memory"),
        ("records", 2, "auto", False, "each worker reads all records, as training.sharding says"),
        ("files", 8, "auto", True, "each worker reads its part of the 8 files"),
    ],
)
def test_the_way_is_chosen_and_told(
    sharding: str, workers: int, cache: str, own: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "tell", told.append)
    assert reads_own_files(sharding, workers, EIGHT, cache) is own
    assert told == [message]


def test_one_worker_reads_all_and_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "tell", pytest.fail)
    assert not reads_own_files("files", 1, EIGHT, "auto")


def test_fewer_files_than_workers_are_refused() -> None:
    with pytest.raises(BadInput, match=r"training\.sharding: files: .* \(8\) than workers \(9\); give records"):
        reads_own_files("files", 9, EIGHT, "auto")


def test_own_files_cannot_stay_in_memory() -> None:
    with pytest.raises(ValueError, match="cache: always needs sharding: auto or records"):
        TrainingConfig(sharding="files", cache="always")
