"""Networks with AN and IEBN start as networks with batch normalization do."""

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import EfficientNetBuilder

NORMS = [Norm("an"), Norm("iebn"), Norm("an", placement="depthwise"), Norm("an", 1), Norm("an", 10)]


def network(name: str, norm: str | Norm, size: int) -> keras.Model:
    """A network without random layers that returns its logits."""
    keras.utils.set_random_seed(0)
    builder = EfficientNetBuilder(
        input_shape=(size, size, 3), classes=10, norm=norm, classifier_activation=None, drop_connect_rate=0.0
    )
    return builder.default_model(name, dropout_rate=0.0)


def images(size: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, size, size, 3)).astype("float32")


@pytest.fixture
def double_precision() -> Iterator[None]:
    """The variance of four values in the last blocks, which have one pixel, makes rounding errors larger."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("norm", NORMS, ids=lambda norm: " ".join(map(str, norm.given.values())))
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_with_the_same_convolutions_the_outputs_are_equal(norm: Norm, training: bool) -> None:
    with_bn, other = network("B0", "bn", 32), network("B0", norm, 32)
    for layer in other.layers:
        if layer.weights and not layer.name.endswith("_norm"):
            layer.set_weights(with_bn.get_layer(layer.name).get_weights())
    expected = np.asarray(with_bn(images(32), training=training))
    outputs = np.asarray(other(images(32), training=training))
    np.testing.assert_allclose(outputs, expected, atol=1e-5 * np.abs(expected).max())


def _deviations(model: keras.Model, training: bool) -> np.ndarray:
    """The standard deviation of the activations behind every block, the stem and the head, and of the logits."""
    steps = ("project_norm", "_add", "stem_activation", "head_activation", "predictions")
    outputs = [layer.output for layer in model.layers if layer.name.endswith(steps)]
    side = model.input_shape[1]
    return np.array([np.std(one) for one in keras.Model(model.input, outputs)(images(side), training=training)])


@pytest.mark.parametrize(
    "name", ["B0", pytest.param("MixNetL", marks=pytest.mark.slow), pytest.param("B7", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("norm", NORMS[:3], ids=lambda norm: " ".join(map(str, norm.given.values())))
def test_activations_of_every_block_are_as_large_as_with_bn(name: str, norm: Norm) -> None:
    with_bn, other = network(name, "bn", 64), network(name, norm, 64)
    for training in (False, True):
        ratio = _deviations(other, training) / _deviations(with_bn, training)
        assert ratio.min() > 0.5
        assert ratio.max() < 2


def test_the_start_of_the_papers_can_be_chosen() -> None:
    """AN's five maps of mean 1 with weights of 1/2 give 2.5, and IEBN's gate is sigmoid(-1) = 0.2689."""
    x = images(8)
    normalized = (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))
    for norm, factor in ((Norm("an", init="paper"), 2.5), (Norm("iebn", init="paper"), 0.2689)):
        builder = EfficientNetBuilder(input_shape=(32, 32, 3), norm=norm)
        layer = builder.default_model("B0").get_layer("stem_norm")
        fresh = type(layer).from_config(layer.get_config())
        assert np.std(fresh(x, training=True)) / np.std(normalized) == pytest.approx(factor, rel=0.15)
