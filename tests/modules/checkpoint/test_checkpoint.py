"""A stopped training resumes, and ends as if it had never stopped."""

import errno
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.checkpoint.checkpoint_folder import CheckpointFolder, State
from efficientmixnet.modules.checkpoint.continued_epoch import ContinuedEpoch
from efficientmixnet.modules.exceptions import BadInput

EPOCHS = 5


def _model() -> keras.Model:
    """A small regression model with an optimizer that has state, and dropout."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(6, activation="tanh"), keras.layers.Dropout(0.3), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile(keras.optimizers.Adam(0.05), "mse", run_eagerly=True)
    return model


def _data() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(16, 2)).astype(np.float32)
    return x, (x[:, :1] - 2 * x[:, 1:]).astype(np.float32)


def _train(folder: Path, until: int, *, patience: int | None = None) -> tuple[keras.Model, Checkpoint]:
    """Restores the checkpoint, if there is one, and trains the remaining epochs, as run_fn does."""
    model = _model()
    checkpoint = Checkpoint(str(folder), patience)
    done = checkpoint.restore(model)
    x, y = _data()
    fit = {"batch_size": 8, "shuffle": False, "validation_data": (x[::2], y[::2]), "verbose": 0}
    model.fit(x, y, initial_epoch=done, epochs=until, callbacks=[checkpoint], **fit)
    return model, checkpoint


def _weights(model: keras.Model) -> np.ndarray:
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def _simulate(
    folder: Path, losses: list[float], patience: int | None, **settings: int
) -> tuple[keras.Model, Checkpoint, int]:
    """Simulates epochs with these val_losses. After each epoch all weights are its number. Also returns their count."""
    model = _model()
    model.optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(str(folder), patience, **settings)
    checkpoint.set_model(model)
    checkpoint.set_params({"epochs": len(losses)})
    model.stop_training = False
    epochs = 0
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full_like(weight, epoch + 1) for weight in model.get_weights()])
        checkpoint.on_epoch_end(epoch, {"loss": loss, "val_loss": loss})
        epochs += 1
        if model.stop_training:
            break
    checkpoint.on_train_end()
    return model, checkpoint, epochs


def _files(folder: Path) -> list[str]:
    """Returns the names of the files without suffixes."""
    return sorted(file.name.split(".")[0] for file in folder.iterdir())


def test_a_new_training_starts_at_the_first_epoch(tmp_path: Path) -> None:
    checkpoint = Checkpoint(str(tmp_path / "none"), None)
    assert (checkpoint.restore(_model()), checkpoint.history) == (0, [])


def test_a_stopped_training_ends_with_the_weights_and_history_of_one_never_stopped(tmp_path: Path) -> None:
    whole, expected = _train(tmp_path / "whole", EPOCHS)
    for until in (1, 3, EPOCHS):
        resumed, checkpoint = _train(tmp_path / "stopped", until)
    assert len(checkpoint.history) == EPOCHS
    for one, other in zip(checkpoint.history, expected.history, strict=True):
        assert one == pytest.approx(other, rel=1e-6)
    # Adam's moments and the random state of dropout are restored too. Without them the weights would differ.
    np.testing.assert_allclose(_weights(resumed), _weights(whole), rtol=1e-6)


def test_a_kill_during_a_write_leaves_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _train(tmp_path / "killed", 2)

    def killed(self: Path, target: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", killed)
        _train(tmp_path / "killed", 3)
    (tmp_path / "killed" / ".epoch-0003-step-000000.npz.part").write_bytes(b"half")  # after kill -9
    assert Checkpoint(str(tmp_path / "killed"), None).restore(_model()) == 2
    resumed, _ = _train(tmp_path / "killed", EPOCHS)
    whole, _ = _train(tmp_path / "whole", EPOCHS)
    np.testing.assert_array_equal(_weights(resumed), _weights(whole))
    assert not list((tmp_path / "killed").glob("*.part"))


@pytest.mark.parametrize("damage", [b"", b"PK nonsense", "half", "one byte"])
def test_a_damaged_checkpoint_is_skipped_for_the_previous_one(
    tmp_path: Path, damage: bytes | str, capsys: pytest.CaptureFixture[str]
) -> None:
    _simulate(tmp_path, [3, 2, 1], patience=None)
    last = tmp_path / "epoch-0003-step-000000.npz"
    content = bytearray(last.read_bytes())
    if isinstance(damage, bytes):
        last.write_bytes(damage)
    elif damage == "half":
        last.write_bytes(content[: len(content) // 2])
    else:
        content[content.index(np.float32(3).tobytes())] ^= 1  # within a weight
        last.write_bytes(content)
    model = _model()
    assert Checkpoint(str(tmp_path), None).restore(model) == 2
    np.testing.assert_array_equal(_weights(model), 2)
    assert f"{last}: the checkpoint cannot be read" in capsys.readouterr().out


def _rewritten(file: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], object]) -> None:
    """Changes a checkpoint's state and arrays, and writes a file with valid checksums."""
    with np.load(file) as content:
        arrays = dict(content)
    about = json.loads(arrays.pop("state").tobytes())
    change(about, arrays)
    np.savez(file, **arrays, state=np.frombuffer(json.dumps(about).encode(), np.uint8))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda about, arrays: about.pop("phase"), "it has no 'phase'"),
        (lambda about, arrays: about.pop("history"), "it has no 'history'"),
        (lambda about, arrays: about.update(history=None), "history is not a list"),
        (lambda about, arrays: arrays.pop("arr_1"), "arr_1"),
        (lambda about, arrays: arrays.update(arr_0=np.zeros((9, 9))), r"has the shape \[9, 9\]"),
    ],
    ids=["no phase", "no history", "null", "no array", "shape"],
)
def test_a_checkpoint_that_lacks_a_part_is_skipped_for_the_previous_one(
    tmp_path: Path, change: Callable[..., object], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _simulate(tmp_path, [3, 2, 1], patience=None)
    last = tmp_path / "epoch-0003-step-000000.npz"
    _rewritten(last, change)
    model = _model()
    assert Checkpoint(str(tmp_path), None).restore(model) == 2
    np.testing.assert_array_equal(_weights(model), 2)
    printed = capsys.readouterr().out
    assert re.search(rf"{last}: the checkpoint cannot be read \(.*{why}.*\); the previous one is used", printed)


def test_a_training_without_a_readable_checkpoint_starts_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _simulate(tmp_path, [3, 2, 1], patience=None)
    for file in tmp_path.glob("*.npz"):
        _rewritten(file, lambda about, arrays: about.pop("phase"))
    assert Checkpoint(str(tmp_path), None).restore(_model()) == 0
    assert "the training starts again" in capsys.readouterr().out


def test_a_checkpoint_of_another_network_is_refused_with_the_first_layer_that_differs(tmp_path: Path) -> None:
    _simulate(tmp_path, [1], patience=None)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(7), keras.layers.Dense(1)])
    other.compile("adam", "mse")
    with pytest.raises(BadInput, match=r"another network's: it has \S+/kernel \[2, 6\] .* \S+/kernel \[2, 7\]"):
        Checkpoint(str(tmp_path), None).restore(other)


class _StopAt(keras.callbacks.Callback):
    """Saves a checkpoint after some steps, and raises KeyboardInterrupt."""

    def __init__(self, checkpoint: Checkpoint, steps: int) -> None:
        super().__init__()
        self._checkpoint, self._left = checkpoint, steps

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._left -= 1
        if self._left == 0:
            self._checkpoint.save()
            raise KeyboardInterrupt


@pytest.mark.parametrize("steps", [1, 9, 14])
def test_a_training_stopped_within_an_epoch_ends_with_exactly_the_weights_of_one_never_stopped(
    tmp_path: Path, steps: int
) -> None:
    x, y = _data()

    def train(folder: Path, stop_after: int | None) -> tuple[keras.Model, Checkpoint]:
        """Trains three epochs of five steps."""
        model = _model()
        model.compile(model.optimizer, "mse", metrics=["mae"], run_eagerly=True)
        checkpoint = Checkpoint(str(folder), None)
        done = checkpoint.restore(model)
        first = 5 * done + checkpoint.steps_done
        stop = [_StopAt(checkpoint, stop_after)] if stop_after else []
        batches = tf.data.Dataset.range(first, 15).map(lambda step: (x[step : step + 2], y[step : step + 2]))
        model.fit(
            batches.apply(tf.data.experimental.assert_cardinality(15 - first)),
            initial_epoch=done,
            epochs=3,
            steps_per_epoch=5,
            validation_data=(x, y),
            callbacks=[ContinuedEpoch(checkpoint), checkpoint, *stop],
            verbose=0,
        )
        return model, checkpoint

    x, y = tf.constant(x), tf.constant(y)
    whole, expected = train(tmp_path / "whole", None)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", steps)
    resumed, checkpoint = train(tmp_path / "stopped", None)
    np.testing.assert_array_equal(_weights(resumed), _weights(whole))
    for one, other in zip(checkpoint.history, expected.history, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


def test_every_minutes_saves_within_an_epoch_when_they_have_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 1000, 40))  # seconds: the clock advances by 40 at each call
    monkeypatch.setattr(
        "efficientmixnet.modules.checkpoint.checkpoint.time", SimpleNamespace(monotonic=lambda: next(now))
    )
    model = _model()
    model.optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(str(tmp_path), None, every_minutes=1)
    checkpoint.set_model(model)
    checkpoint.set_params({"steps": 100, "epochs": 1})
    checkpoint.on_epoch_begin(0)
    for batch in range(2):
        checkpoint.on_train_batch_end(batch)
    checkpoint.folder.wait()
    assert _files(tmp_path) == ["epoch-0000-step-000002"]


def test_the_best_epoch_is_saved_with_the_next_checkpoint_that_is_due(tmp_path: Path) -> None:
    _simulate(tmp_path / "one", [3, 2, 4, 5, 6], patience=9, every_epochs=3)
    assert _files(tmp_path / "one") == [f"epoch-{epoch:04d}-step-000000" for epoch in (2, 3, 5)]
    _simulate(tmp_path / "two", [3, 2, 4, 5, 6], patience=None, every_epochs=3)
    assert _files(tmp_path / "two") == [f"epoch-{epoch:04d}-step-000000" for epoch in (3, 5)]


def test_a_checkpoint_keeps_the_state_at_the_end_of_its_epoch_while_training_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = threading.Event()
    monkeypatch.setattr("os.fsync", lambda _: disk.wait(60))
    model = _model()
    model.optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(str(tmp_path))
    checkpoint.set_model(model)
    checkpoint.set_params({"epochs": 9})
    model.set_weights([np.full_like(weight, 1) for weight in model.get_weights()])
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    model.set_weights([np.full_like(weight, 2) for weight in model.get_weights()])  # the next epoch's first step
    assert not list(tmp_path.glob("*.npz"))
    disk.set()
    checkpoint.folder.wait()
    found = _model()
    assert Checkpoint(str(tmp_path)).restore(found) == 1
    np.testing.assert_array_equal(_weights(found), 1)


def test_a_full_disk_stops_the_training_at_the_next_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        _simulate(tmp_path, [3, 2, 1], patience=None)
    assert not list(tmp_path.glob("*.npz"))


def test_only_the_chief_saves(tmp_path: Path) -> None:
    _simulate(tmp_path / "other", [3, 2], patience=None, worker=1, workers=2)
    assert not (tmp_path / "other").exists()


def test_patience_stops_the_training_and_restores_the_best_epoch(tmp_path: Path) -> None:
    model, checkpoint, epochs = _simulate(tmp_path, [3, 1, 2, 1, 5, 0], patience=3)
    assert (epochs, checkpoint.best_epoch, checkpoint.is_over) == (5, 2, True)
    np.testing.assert_array_equal(_weights(model), 2)


def test_an_epoch_whose_loss_is_not_a_number_is_not_the_best(tmp_path: Path) -> None:
    _, checkpoint, epochs = _simulate(tmp_path, [float("nan"), 3, 2, float("nan"), 5], patience=2)
    assert (epochs, checkpoint.best_epoch, checkpoint.is_over) == (5, 3, True)


def test_a_better_epoch_restarts_patience(tmp_path: Path) -> None:
    model, checkpoint, epochs = _simulate(tmp_path, [3, 4, 2, 4, 1], patience=2)
    assert (epochs, checkpoint.best_epoch, checkpoint.is_over) == (5, 5, False)
    np.testing.assert_array_equal(_weights(model), 5)


def test_without_patience_all_epochs_train_and_the_last_weights_stay(tmp_path: Path) -> None:
    model, checkpoint, epochs = _simulate(tmp_path, [1, 2, 3, 4, 5], patience=None)
    assert (epochs, checkpoint.best_epoch, checkpoint.is_over) == (5, 1, False)
    np.testing.assert_array_equal(_weights(model), 5)


def test_patience_continues_in_a_resumed_training(tmp_path: Path) -> None:
    _simulate(tmp_path, [1, 2], patience=3)
    model = _model()
    checkpoint = Checkpoint(str(tmp_path), 3)
    assert checkpoint.restore(model) == 2
    checkpoint.set_model(model)
    checkpoint.set_params({"epochs": 9})
    checkpoint.on_epoch_end(2, {"loss": 2, "val_loss": 2})
    assert not checkpoint.is_over
    checkpoint.on_epoch_end(3, {"loss": 2, "val_loss": 2})
    assert checkpoint.is_over
    checkpoint.on_train_end()
    np.testing.assert_array_equal(_weights(model), 1)


def test_a_training_without_patience_left_is_over_when_it_resumes(tmp_path: Path) -> None:
    _simulate(tmp_path, [1, 2, 2], patience=2)
    checkpoint = Checkpoint(str(tmp_path), 2)
    checkpoint.restore(_model())
    assert checkpoint.is_over


def test_only_the_last_two_and_the_best_checkpoint_are_kept(tmp_path: Path) -> None:
    _simulate(tmp_path, [5, 1, 3, 4, 6, 7], patience=9)
    assert _files(tmp_path) == [f"epoch-{epoch:04d}-step-000000" for epoch in (2, 5, 6)]


def test_checkpoints_have_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    for epochs, steps in ((9_998, 0), (9_999, 0), (10_000, 0), (10_000, 999_999), (10_000, 1_000_000)):
        about = {"history": [{}] * epochs, "steps_done": steps, "means": {}, "phase": 0, "variables": []}
        folder.write(State(about, []))
        assert folder.last_file == tmp_path / f"epoch-{epochs:04d}-step-{steps:06d}.npz"
    assert _files(tmp_path) == ["epoch-10000-step-1000000", "epoch-10000-step-999999"]
    assert [state.about["steps_done"] for _, state in folder.states()] == [1_000_000, 999_999]
