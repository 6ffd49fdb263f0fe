"""Every optimizer, alone and with Lookahead around it, finds the minimum of a parabola and of Rosenbrock's valley."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, Ranger, RectifiedAdam

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the loop is compiled by TensorFlow")

INNER: dict[str, Callable[[float], keras.optimizers.Optimizer]] = {
    "sgd": lambda rate: keras.optimizers.SGD(rate / 100, momentum=0.9),
    "rmsprop": lambda rate: keras.optimizers.RMSprop(rate / 10, momentum=0.9),
    "adam": keras.optimizers.Adam,
    "nadam": keras.optimizers.Nadam,
    "adamw": lambda rate: keras.optimizers.AdamW(rate, weight_decay=0.0),
    # Its first, plain steps are as long as the gradient, which is hundreds beside Rosenbrock's valley.
    "radam": lambda rate: RectifiedAdam(rate, clipnorm=1.0),
    "radam, amsgrad": lambda rate: RectifiedAdam(rate, amsgrad=True, clipnorm=1.0),
    "radam, no plain steps": lambda rate: RectifiedAdam(rate, degenerate_to_sgd=False),
}
AROUND: dict[str, Callable[[keras.optimizers.Optimizer], keras.optimizers.Optimizer]] = {
    "alone": lambda optimizer: optimizer,
    "lookahead": Lookahead,
    "lookahead, k 5, alpha .8": lambda optimizer: Lookahead(optimizer, 5, 0.8),
}


def parabola_gradient(x: Any) -> Any:
    return 2 * (x - np.array([1.0, 1.0], "float32")) * np.array([1.0, 5.0], "float32")


def rosenbrock_gradient(x: Any) -> Any:
    # f = (1 - x)² + 100 (y - x²)²
    valley = x[1] - x[0] ** 2
    return ops.stack([-2 * (1 - x[0]) - 400 * x[0] * valley, 200 * valley])


def end(optimizer: keras.optimizers.Optimizer, gradient: Callable, start: list[float], steps: int) -> np.ndarray:
    import tensorflow as tf

    variable = keras.Variable(start)
    optimizer.build([variable])

    @tf.function(jit_compile=True)
    def run() -> None:
        for _ in tf.range(steps):
            optimizer.apply([gradient(variable.value)], [variable])

    run()
    optimizer.finalize_variable_values([variable])
    return ops.convert_to_numpy(variable.value)


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
@pytest.mark.parametrize("inner", INNER.values(), ids=INNER.keys())
def test_finds_the_minimum(inner: Callable, around: Callable) -> None:
    parabola = end(around(inner(0.1)), parabola_gradient, [-3.0, 4.0], 1000)
    np.testing.assert_allclose(parabola, [1.0, 1.0], atol=0.02)
    rosenbrock = end(around(inner(0.02)), rosenbrock_gradient, [-1.0, 1.5], 8000)
    np.testing.assert_allclose(rosenbrock, [1.0, 1.0], atol=0.05)


def test_ranger_finds_the_minimum() -> None:
    np.testing.assert_allclose(end(Ranger(0.1), parabola_gradient, [-3.0, 4.0], 1000), [1.0, 1.0], atol=0.02)
