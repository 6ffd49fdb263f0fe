"""Muon on the backend at hand: its steps are nearly orthogonal, and everything but matrices takes Adam's."""

import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.optimizers.muon import Muon

DRAW = np.random.default_rng(11)
ADJUSTS_TO_THE_SHAPE = "rms_rate" in inspect.signature(keras.optimizers.Muon).parameters  # newer than Keras 3.12


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (8, 8)])
def test_step_of_a_matrix_is_nearly_orthogonal(shape: tuple[int, int]) -> None:
    # Jordan's coefficients bring every singular value of the gradient into [.7, 1.2]; the factor is divided out.
    matrix = keras.Variable(np.zeros(shape, "float32"), name="kernel")
    gradient = DRAW.standard_normal(shape).astype("float32")
    unadjusted: dict[str, Any] = {"rms_rate": None} if ADJUSTS_TO_THE_SHAPE else {}
    Muon(1.0, weight_decay=None, **unadjusted).apply([keras.ops.convert_to_tensor(gradient)], [matrix])
    factor = 1.0 if ADJUSTS_TO_THE_SHAPE else max(1.0, shape[0] / shape[1]) ** 0.5
    step = -keras.ops.convert_to_numpy(matrix.value) / factor
    singular = np.linalg.svd(step, compute_uv=False)
    assert singular.min() > 0.65
    assert singular.max() < 1.25
    assert np.sum(step * gradient) > 0  # uphill in the gradient's direction, downhill in the loss


def test_bias_takes_adams_step_with_a_tenth_of_the_rate() -> None:
    bias = keras.Variable(np.zeros(3, "float32"), name="bias")
    optimizer = Muon(1.0, weight_decay=None, adam_lr_ratio=0.1)
    optimizer.apply([keras.ops.convert_to_tensor(np.array([3.0, -2.0, 0.5], "float32"))], [bias])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(bias.value), [-0.1, 0.1, -0.1], rtol=1e-4)


def test_trains_and_is_saved(tmp_path: Path) -> None:
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)])
    model.compile(Muon(0.05), "mse")
    inputs = DRAW.standard_normal((32, 4)).astype("float32")
    losses = model.fit(inputs, inputs[:, :2], batch_size=8, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]
    model.save(tmp_path / "muon.keras")
    restored = keras.saving.load_model(tmp_path / "muon.keras").optimizer
    assert type(restored) is Muon
    for ours, theirs in zip(restored.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs))
