"""Copies of checkpoints in a store. A local folder replaces the store."""

from pathlib import Path

import pytest

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.stored_checkpoints import StoredCheckpoints
from efficientmixnet.modules.exceptions import StoreUnavailable


def _content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_a_new_pod_gets_the_checkpoints_of_the_lost_pod(tmp_path: Path) -> None:
    lost = tmp_path / "pod-1" / "a1b2"
    (lost / "logs").mkdir(parents=True)
    (lost / "epoch-0001.npz").write_text("one")
    (lost / "logs" / "events").write_text("curve")
    (lost / "epoch-0002.part").write_text("hal")
    StoredCheckpoints(str(tmp_path / "store")).keep(lost)
    new = tmp_path / "pod-2" / "a1b2"
    StoredCheckpoints(str(tmp_path / "store")).fetch(new)
    assert _content(new) == {"epoch-0001.npz": "one", "logs/events": "curve"}


def test_what_was_written_before_a_fetch_is_copied_with_the_first_checkpoint(tmp_path: Path) -> None:
    folder, store = tmp_path / "a1b2", tmp_path / "store"
    folder.mkdir()
    (folder / "budget.json").write_text("choice")
    checkpoints = StoredCheckpoints(str(store))
    checkpoints.fetch(folder)
    (folder / "epoch-0001.npz").write_text("one")
    checkpoints.keep(folder)
    assert _content(store / "a1b2") == {"budget.json": "choice", "epoch-0001.npz": "one"}


def test_only_changes_are_copied_and_deleted(tmp_path: Path) -> None:
    folder, store = tmp_path / "a1b2", tmp_path / "store"
    folder.mkdir()
    checkpoints = StoredCheckpoints(str(store))
    (folder / "epoch-0001.npz").write_text("one")
    (folder / "epoch-0002.npz").write_text("two")
    checkpoints.keep(folder)
    (store / "a1b2" / "epoch-0002.npz").write_text("as it was copied")
    (folder / "epoch-0001.npz").unlink()
    (folder / "epoch-0003.npz").write_text("three")
    checkpoints.keep(folder)
    assert _content(store / "a1b2") == {"epoch-0002.npz": "as it was copied", "epoch-0003.npz": "three"}


def test_a_pod_with_checkpoints_fetches_none(tmp_path: Path) -> None:
    folder, store = tmp_path / "a1b2", tmp_path / "store"
    folder.mkdir()
    (folder / "epoch-0002.npz").write_text("two")
    (store / "a1b2").mkdir(parents=True)
    (store / "a1b2" / "epoch-0001.npz").write_text("one")
    StoredCheckpoints(str(store)).fetch(folder)
    assert _content(folder) == {"epoch-0002.npz": "two"}


def test_fetch_without_copies_does_nothing_and_forget_deletes_all(tmp_path: Path) -> None:
    checkpoints = StoredCheckpoints(str(tmp_path / "store"))
    checkpoints.fetch(tmp_path / "a1b2")
    checkpoints.forget()
    assert not (tmp_path / "a1b2").exists()
    (tmp_path / "a1b2").mkdir()
    (tmp_path / "a1b2" / "epoch-0001.npz").write_text("one")
    checkpoints.keep(tmp_path / "a1b2")
    checkpoints.forget()
    assert not (tmp_path / "store").exists()


def test_a_silent_store_does_not_stop_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = tmp_path / "a1b2", tmp_path / "store"
    folder.mkdir()
    checkpoints, upload = StoredCheckpoints(str(store)), object_store.upload

    def away(place: str, to: str) -> None:
        if place.endswith("2.npz"):
            raise StoreUnavailable("s3://b/k: the object store does not answer")
        upload(place, to)

    monkeypatch.setattr(object_store, "upload", away)
    (folder / "epoch-0001.npz").write_text("one")
    (folder / "epoch-0002.npz").write_text("two")
    checkpoints.keep(folder)
    assert capsys.readouterr().out.endswith("; training continues without a copy of this checkpoint\n")
    assert _content(store / "a1b2") == {"epoch-0001.npz": "one"}
    (folder / "epoch-0001.npz").unlink()
    (folder / "epoch-0002.npz").rename(folder / "epoch-0003.npz")
    checkpoints.keep(folder)
    assert _content(store / "a1b2") == {"epoch-0003.npz": "two"}
