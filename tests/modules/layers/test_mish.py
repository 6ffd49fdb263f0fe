from typing import Any

import numpy as np

from efficientmixnet.modules.layers import Mish


def test_numbers_by_hand() -> None:
    # softplus(1) = log(1 + e) = 1.3132617, tanh of it .8650984; for large x it is x, for small ones x e^x
    outputs = Mish()(np.array([-20.0, 0.0, 1.0, 100.0], "float32"))
    np.testing.assert_allclose(outputs, [-4.1223072e-08, 0, 0.8650984, 100], rtol=1e-5)


def test_gradient_at_zero_is_three_fifths(gradients: Any) -> None:
    # tanh(log 2) = (4 - 1) / (4 + 1)
    inputs, _ = gradients(Mish(), np.zeros((1, 2), "float32"), np.ones((1, 2), "float32"))
    np.testing.assert_allclose(inputs, [[0.6, 0.6]], rtol=1e-6)


def test_saved_and_loaded_it_gives_identical_outputs(reload: Any, rng: np.random.Generator) -> None:
    model, loaded = reload(Mish(), (None, None, 3))
    x = rng.standard_normal((1, 2, 2, 3), "float32")
    np.testing.assert_array_equal(model(x), loaded(x))
