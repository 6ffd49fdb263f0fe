"""Grouped passes on to its optimizers what belongs to them."""

import keras
import numpy as np
from keras import ops

from efficientmixnet.modules.optimizers.grouped import Grouped


def numpy_of(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable))


def test_all_weights_can_be_read_and_set() -> None:
    variables = [keras.Variable([1.0, -2.0], name="head"), keras.Variable([3.0], name="body")]
    one, other = (
        Grouped([keras.optimizers.SGD(0.1, momentum=0.5), keras.optimizers.Adam(0.1)], {"head": 0}) for _ in range(2)
    )
    for _ in range(2):
        one.apply([ops.convert_to_tensor([1.0, 1.0]), ops.convert_to_tensor([2.0])], variables)
    other.build(variables)
    other.set_weights([numpy_of(variable) for variable in one.variables])
    for mine, theirs in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(numpy_of(mine), numpy_of(theirs))
    # -.1, and .5 of it - .1
    np.testing.assert_allclose(numpy_of(other.optimizers[0].momentums[0]), [-0.15, -0.15], rtol=1e-6)


def test_excluded_weights_do_not_decay() -> None:
    variables = [keras.Variable([1.0], name=name) for name in ("kernel", "bias")]
    optimizer = Grouped([keras.optimizers.SGD(0.1, weight_decay=0.5) for _ in range(2)], {"bias": 0})
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([ops.zeros(1), ops.zeros(1)], variables)
    np.testing.assert_allclose([numpy_of(one)[0] for one in variables], [0.95, 1.0], rtol=1e-6)  # 1 - .1 * .5


def test_gradients_are_clipped_by_their_norm_over_all_groups() -> None:
    """The norm of (3, 4) is 5, so a norm of 1 leaves (.6, .8). The optimizers undo a scale of the loss."""
    for scale in (1.0, 8.0):
        variables = [keras.Variable([0.0], name=name) for name in ("head", "body")]
        members = [keras.optimizers.SGD(1.0, loss_scale_factor=scale) for _ in range(2)]
        optimizer = Grouped(members, {"head": 0}, global_clipnorm=1.0)
        optimizer.apply([ops.convert_to_tensor([3.0 * scale]), ops.convert_to_tensor([4.0 * scale])], variables)
        np.testing.assert_allclose([numpy_of(one)[0] for one in variables], [-0.6, -0.8], rtol=1e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again.global_clipnorm == 1.0
