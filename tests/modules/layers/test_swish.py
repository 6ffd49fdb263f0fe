from typing import Any

import numpy as np
import pytest

from efficientmixnet.modules.layers import Swish


def test_numbers_by_hand() -> None:
    # sigmoid(1) = .7310586
    outputs = Swish()(np.array([-20.0, 0.0, 1.0, 20.0], "float32"))
    np.testing.assert_allclose(outputs, [-4.122307e-08, 0, 0.7310586, 20], rtol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_by_hand(training: bool, gradients: Any) -> None:
    # sigmoid + x sigmoid (1 - sigmoid): at 1 that is .7310586 + .7310586 * .2689414
    x = np.array([[-100.0, 0.0, 1.0, 100.0]], "float32")
    inputs, _ = gradients(Swish(), x, np.full_like(x, 2), training=training)
    np.testing.assert_allclose(inputs, [[0, 1, 1.8553411, 2]], rtol=1e-6, atol=1e-7)


def test_training_gives_the_same_numbers(rng: np.random.Generator) -> None:
    x = 5 * rng.standard_normal((10, 10), "float32")
    np.testing.assert_allclose(Swish()(x, training=True), Swish()(x), rtol=1e-6)


def test_saved_and_loaded_it_gives_identical_outputs(reload: Any, rng: np.random.Generator) -> None:
    model, loaded = reload(Swish(), (None, None, 3))
    x = rng.standard_normal((1, 2, 2, 3), "float32")
    np.testing.assert_array_equal(model(x), loaded(x))
