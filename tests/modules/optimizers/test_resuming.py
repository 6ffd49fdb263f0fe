"""Training that was saved, restored and resumed equals training that never stopped, to the bit."""

from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, Ranger, RectifiedAdam

DRAW = np.random.default_rng(8)
IMAGES = DRAW.standard_normal((13, 4, 6)).astype("float32")
TARGETS = DRAW.standard_normal((13, 4, 2)).astype("float32")
STOP = 7  # within a period of Lookahead, after the first rectified step


def schedule() -> keras.optimizers.schedules.LearningRateSchedule:
    return keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.9)


OPTIMIZERS: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "radam": lambda: RectifiedAdam(0.02, weight_decay=0.1, amsgrad=True),
    "lookahead": lambda: Lookahead(keras.optimizers.RMSprop(schedule(), momentum=0.9, use_ema=True), 5),
    "accumulating": lambda: Lookahead(keras.optimizers.Adam(0.02, gradient_accumulation_steps=2), 2),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(Ranger(schedule(), sync_period=5), 8.0),
}


def built(optimizer: keras.optimizers.Optimizer, seed: int, eager: bool = True) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)])
    model.compile(optimizer, "mse", run_eagerly=eager and keras.backend.backend() == "tensorflow")
    return model


def train(model: keras.Model, steps: range) -> None:
    for step in steps:
        model.train_on_batch(IMAGES[step], TARGETS[step])


def state(model: keras.Model) -> list[np.ndarray]:
    return [ops.convert_to_numpy(variable.value) for variable in [*model.variables, *model.optimizer.variables]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resumed_training_equals_training_that_never_stopped(name: str, tmp_path: Path) -> None:
    eager = name != "scaled"  # tracing takes seconds; one optimizer shows that compiled steps do the same
    never_stopped = built(OPTIMIZERS[name](), 1, eager)
    train(never_stopped, range(len(IMAGES)))
    expected = state(never_stopped)

    stopped = built(OPTIMIZERS[name](), 1, eager)
    train(stopped, range(STOP))
    stopped.save(tmp_path / "stopped.keras")
    stopped.save_weights(tmp_path / "stopped.weights.h5")

    loaded = keras.saving.load_model(tmp_path / "stopped.keras")
    given_weights = built(OPTIMIZERS[name](), 99, eager)
    given_weights.optimizer.build(given_weights.trainable_variables)
    given_weights.load_weights(tmp_path / "stopped.weights.h5")
    for resumed in (loaded, given_weights):
        train(resumed, range(STOP, len(IMAGES)))
        for ours, theirs in zip(state(resumed), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own checkpoints")
def test_tensorflow_checkpoint_restores_the_inner_and_the_slow_weights(tmp_path: Path) -> None:
    import tensorflow as tf

    trained, fresh = (built(OPTIMIZERS["lookahead"](), seed) for seed in (1, 99))
    train(trained, range(STOP))
    fresh.optimizer.build(fresh.trainable_variables)
    path = tf.train.Checkpoint(model=trained, optimizer=trained.optimizer).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(model=fresh, optimizer=fresh.optimizer).read(path).assert_existing_objects_matched()
    for ours, theirs in zip(state(fresh), state(trained), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_saved_file_has_the_inner_state_once(tmp_path: Path) -> None:
    model = built(Lookahead(keras.optimizers.Adam()), seed=1)
    train(model, range(1))
    model.save_weights(tmp_path / "once.weights.h5")
    numbers = 0

    def count(name: str, item: object) -> None:
        nonlocal numbers
        if isinstance(item, h5py.Dataset):
            numbers += int(np.prod(item.shape))

    with h5py.File(tmp_path / "once.weights.h5") as file:
        file.visititems(count)
    assert numbers == sum(values.size for values in state(model))
