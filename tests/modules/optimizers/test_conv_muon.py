"""ConvMuon on the backend at hand: orthogonal steps for kernels of convolutions, and AdamW's for all other weights."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.optimizers import ConvMuon

DRAW = np.random.default_rng(11)


def _after(optimizer: Any, start: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    """Returns a weight after one step for each gradient."""
    weight = keras.Variable(start, name="kernel")
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return keras.ops.convert_to_numpy(weight.value)


def _singular_value(value: np.ndarray, steps: int) -> np.ndarray:
    """The iteration acts on each singular value alone, as this polynomial."""
    for _ in range(steps):
        value = 3.4445 * value - 4.7750 * value**3 + 2.0315 * value**5
    return value


@pytest.mark.parametrize("shape", [(3, 3, 2, 5), (1, 1, 4, 7), (3, 3, 8, 16)])
def test_steps_equal_those_of_a_singular_value_decomposition(shape: tuple[int, ...]) -> None:
    start = DRAW.standard_normal(shape).astype("float32")
    gradients = [DRAW.standard_normal(shape).astype("float32") for _ in range(3)]
    rows, columns = shape[0] * shape[1] * shape[2], shape[3]
    expected, momentum = start.astype("float64").reshape(rows, columns), np.zeros((rows, columns))
    for gradient in gradients:
        momentum = 0.9 * momentum + gradient.reshape(rows, columns)
        left, values, right = np.linalg.svd(gradient.reshape(rows, columns) + 0.9 * momentum, full_matrices=False)
        step = (left * _singular_value(values / np.linalg.norm(values), 4)) @ right
        expected = expected * (1 - 0.02 * 0.1) - 0.02 * 0.3 * max(rows, columns) ** 0.5 * step
    optimizer = ConvMuon(0.02, momentum=0.9, ns_steps=4, rms_rate=0.3, weight_decay=0.1)
    np.testing.assert_allclose(_after(optimizer, start, gradients), expected.reshape(shape), atol=2e-5)


def test_all_directions_are_learned_equally_fast_with_a_step_as_large_as_adams() -> None:
    """One direction of this gradient is a thousand times as large as the others."""
    gradient = np.diag([1000.0, 1.0, 1.0, 1.0, 1.0, 1.0]).astype("float32").reshape(1, 1, 6, 6)
    step = _after(ConvMuon(1.0, weight_decay=0.0, ns_steps=20), np.zeros_like(gradient), [gradient])
    singular = np.linalg.svd(step.reshape(6, 6), compute_uv=False) / (0.2 * 6**0.5)
    assert singular.min() > 0.65
    assert singular.max() < 1.25
    large = DRAW.standard_normal((3, 3, 16, 64)).astype("float32")
    step = _after(ConvMuon(1.0, weight_decay=0.0), np.zeros_like(large), [large])
    assert 0.15 < np.sqrt(np.mean(step**2)) < 0.25


@pytest.mark.parametrize("shape", [(3, 3, 8, 1), (6, 4), (5,)])
def test_depthwise_kernels_the_classifier_and_vectors_take_adamws_step(shape: tuple[int, ...]) -> None:
    start = DRAW.standard_normal(shape).astype("float32")
    gradients = [DRAW.standard_normal(shape).astype("float32") for _ in range(3)]
    ours = _after(ConvMuon(0.02, weight_decay=0.1, beta_2=0.99), start, gradients)
    np.testing.assert_array_equal(ours, _after(keras.optimizers.AdamW(0.02, 0.1, beta_2=0.99), start, gradients))


def test_trains_and_is_saved(tmp_path: Path) -> None:
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [keras.Input((4, 4, 2)), keras.layers.Conv2D(6, 3, activation="tanh"), keras.layers.Flatten()]
    )
    model.add(keras.layers.Dense(1))
    model.compile(ConvMuon(0.02), "mse")
    inputs = DRAW.standard_normal((32, 4, 4, 2)).astype("float32")
    losses = model.fit(inputs, inputs[:, 1, 1, :1], batch_size=8, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert type(restored) is ConvMuon
    assert restored.get_config() == model.optimizer.get_config()
    for ours, theirs in zip(restored.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs))
