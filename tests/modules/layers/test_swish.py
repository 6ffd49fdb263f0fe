from typing import Any

import numpy as np

from efficientmixnet.modules.layers import Swish


def test_numbers_by_hand() -> None:
    # sigmoid(1) = .7310586
    outputs = Swish()(np.array([-20.0, 0.0, 1.0, 20.0], "float32"))
    np.testing.assert_allclose(outputs, [-4.122307e-08, 0, 0.7310586, 20], rtol=1e-6)


def test_gradient_at_zero_is_a_half(gradients: Any) -> None:
    inputs, _ = gradients(Swish(), np.zeros((1, 2), "float32"), np.ones((1, 2), "float32"))
    np.testing.assert_allclose(inputs, [[0.5, 0.5]])


def test_saved_and_loaded_it_gives_identical_outputs(reload: Any, rng: np.random.Generator) -> None:
    model, loaded = reload(Swish(), (None, None, 3))
    x = rng.standard_normal((1, 2, 2, 3), "float32")
    np.testing.assert_array_equal(model(x), loaded(x))
