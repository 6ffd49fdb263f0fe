"""The ready variants: Keras's usual arguments, found by name."""

import dataclasses
import inspect
import re

import keras
import numpy as np
import pytest

from efficientmixnet.modules import network
from efficientmixnet.modules.network import EfficientNetB0, EfficientNetBuilder, MixNetS, list_variants, scaled_model
from efficientmixnet.modules.network.variants import VARIANTS


def test_every_variant_is_listed_and_offered_for_completion():
    names = ["B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "L2"]
    expected = [f"EfficientNet{name}" for name in names] + [f"MixNet{name}" for name in ("S", "M", "L", "XL", "XXL")]
    assert list_variants() == expected
    assert set(expected) <= set(dir(network))
    for name in expected:
        ready = getattr(network, name)
        assert ready.__name__ == name
        assert re.search(rf"^Builds {name}: images of {VARIANTS[name].default_size}x", ready.__doc__)


def test_the_arguments_are_those_of_keras():
    theirs = list(inspect.signature(keras.applications.EfficientNetB0).parameters)
    ours = list(inspect.signature(EfficientNetB0).parameters)
    assert set(theirs) <= set(ours)
    with pytest.raises(AttributeError, match="has no attribute 'EfficientNetB9'"):
        network.EfficientNetB9  # noqa: B018


@pytest.mark.parametrize(("ready", "width"), [(EfficientNetB0, 1280), (MixNetS, 1536)])
def test_output_shapes_equal_those_of_keras(ready, width):
    shape = (32, 32, 3)
    assert ready(input_shape=shape, classes=7).output_shape == (None, 7)
    assert ready(False, None, None, shape).output_shape == (None, 1, 1, width)
    assert ready(False, None, None, shape, "max").output_shape == (None, width)


def test_a_shape_in_the_place_of_include_top_is_refused():
    with pytest.raises(TypeError, match=r"include_top: give True or False, not \(32, 32, 3\).*include_top, weights, "):
        EfficientNetB0((32, 32, 3))


def test_options_reach_the_builder():
    model = EfficientNetB0(input_shape=(32, 32, 3), classes=2, name="mine", mixed=True, norm="iebn", dropout_rate=0.3)
    assert model.name == "mine"
    assert model.get_layer("dropout").rate == 0.3
    # mixed B0 5,462,916, less 998 classes of 1281, and IEBN's two more weights for each normalized channel: counted
    # from the moving statistics, which are the 42,016 fixed weights.
    assert model.count_params() == 5_462_916 - 998 * 1281 + 42_016
    with pytest.raises(TypeError, match="normalization"):
        EfficientNetB0(normalization="iebn")


def test_a_scaled_model_takes_builder_options():
    model = scaled_model(0, classes=10, input_shape=(32, 32, 3), dropout_rate=0.1)
    assert model.count_params() == 5_330_564 - 990 * 1281  # B0 with 10 classes
    assert model.get_layer("dropout").rate == 0.1


def test_logits_of_a_ready_variant():
    outputs = MixNetS(input_shape=(32, 32, 3), classes=4, classifier_activation=None)(
        np.ones((1, 32, 32, 3), "float32")
    )
    assert abs(float(keras.ops.sum(outputs)) - 1) > 1e-6


def test_help_shows_the_arguments_of_a_ready_variant():
    signature = inspect.signature(EfficientNetB0)
    own = {"mixed", "dropout_rate", "name"}
    fields = {field.name for field in dataclasses.fields(EfficientNetBuilder)}
    assert set(signature.parameters) == fields | own
    assert list(signature.parameters)[:8] == [
        "include_top", "weights", "input_tensor", "input_shape", "pooling", "classes", "classifier_activation", "name",
    ]  # fmt: skip  # keras.applications.EfficientNetB0
    assert signature.parameters["norm"].default is None
