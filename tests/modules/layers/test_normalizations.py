import keras
import pytest

from efficientmixnet.modules.layers import (
    AttentiveNormalization,
    BatchNormalization,
    InstanceEnhancementBatchNormalization,
    normalization,
)
from efficientmixnet.modules.layers.norm import Norm


@pytest.mark.parametrize(
    ("kind", "layer_class", "parameters"),
    [
        ("bn", BatchNormalization, 128),
        ("an", AttentiveNormalization, 549),
        ("iebn", InstanceEnhancementBatchNormalization, 192),
    ],
)
def test_each_kind_makes_its_layer_with_the_given_options(
    kind: str, layer_class: type[keras.layers.Layer], parameters: int
) -> None:
    layer = normalization(kind, momentum=0.9, epsilon=0.01, data_format="channels_first", name="norm")
    layer.build((None, 32, None, None))
    assert type(layer) is layer_class
    assert layer.count_params() == parameters
    assert (layer.momentum, layer.epsilon, layer.axis, layer.name) == (0.9, 0.01, 1, "norm")


def test_mixtures_reach_attentive_normalization() -> None:
    layer = normalization(Norm("an", 3))
    layer.build((None, None, None, 8))
    assert layer.gamma.shape == (3, 8)


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="norm: 'gn' is unknown; give one of bn, an, iebn"):
        normalization("gn")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is about TensorFlow's graphs")
@pytest.mark.parametrize("kind", ["an", "iebn"])
def test_the_graph_of_inference_has_no_custom_gradient(kind: str) -> None:
    import tensorflow as tf

    layer = normalization(kind)
    layer.build((None, None, None, 8))
    inference = tf.function(lambda x: layer(x, training=False)).get_concrete_function(tf.TensorSpec((2, 4, 4, 8)))
    assert "IdentityN" not in {operation.type for operation in inference.graph.get_operations()}


def test_an_unknown_data_format_is_refused() -> None:
    """It was taken for channels_last, and normalized the wrong axis."""
    with pytest.raises(ValueError, match=r"normalization: data_format must be one of .*, got 'NCHW'"):
        normalization("bn", data_format="NCHW")
