"""What the layers' tests share: gradients on each backend, saving and loading, and a random source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def outputs_are_arrays_to_numpy() -> None:
    """PyTorch refuses to make arrays of what it has gradients for."""
    if keras.backend.backend() == "torch":
        import torch

        torch.set_grad_enabled(False)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def gradients() -> Callable[..., tuple[np.ndarray, dict[str, np.ndarray]]]:
    """(layer, inputs, upstream) -> the gradient at the inputs, and at each trainable weight by its path's end."""
    return {"tensorflow": _tensorflow_gradients, "jax": _jax_gradients, "torch": _torch_gradients}[
        keras.backend.backend()
    ]


def _named(layer: keras.layers.Layer, values: Any) -> dict[str, np.ndarray]:
    names = [variable.path.removeprefix(f"{layer.name}/") for variable in layer.trainable_variables]
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def _tensorflow_gradients(
    layer: keras.layers.Layer, inputs: Any, upstream: Any, training: bool | None = True
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    import tensorflow as tf

    model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])  # takes training, whether the layer does or not

    @tf.function
    def run(x: Any, upstream: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = model(x, training=training)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") * upstream)
        return tape.gradient(loss, [x, *(variable.value for variable in layer.trainable_variables)])

    first, *rest = run(tf.constant(inputs), tf.constant(upstream))
    return first.numpy(), _named(layer, [value.numpy() for value in rest])


def _jax_gradients(
    layer: keras.layers.Layer, inputs: Any, upstream: Any, training: bool | None = True
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    import jax

    model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])  # takes training, whether the layer does or not

    def loss(trainable: Any, x: Any) -> Any:
        fixed = [variable.value for variable in model.non_trainable_variables]
        outputs, _ = model.stateless_call(trainable, fixed, x, training=training)
        return (outputs.astype("float32") * upstream).sum()

    trainable = [variable.value for variable in layer.trainable_variables]
    weights, first = jax.jit(jax.grad(loss, argnums=(0, 1)))(trainable, jax.numpy.asarray(inputs))
    return np.asarray(first), _named(layer, weights)


def _torch_gradients(
    layer: keras.layers.Layer, inputs: Any, upstream: Any, training: bool | None = True
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    import torch

    model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])  # takes training, whether the layer does or not
    with torch.enable_grad():
        x = torch.tensor(inputs, requires_grad=True)
        loss = (model(x, training=training).float() * torch.tensor(upstream)).sum()
        weights = [variable.value for variable in layer.trainable_variables]
        first, *rest = torch.autograd.grad(loss, [x, *weights])
    return first.numpy(), _named(layer, [gradient.numpy() for gradient in rest])


@pytest.fixture
def reload(tmp_path: Path) -> Callable[..., keras.Model]:
    """layer, input shape -> a model of it whose weights are random, and what comes back from a .keras file."""

    def save_and_load(layer: keras.layers.Layer, shape: tuple[int | None, ...]) -> tuple[keras.Model, keras.Model]:
        inputs = keras.Input(shape)
        model = keras.Model(inputs, layer(inputs))
        source = np.random.default_rng(1)
        for variable in model.variables:
            if variable.dtype == "float32":
                variable.assign(source.uniform(0.1, 1.0, variable.shape))
        model.save(tmp_path / "model.keras")
        return model, keras.saving.load_model(tmp_path / "model.keras")

    return save_and_load
