"""The blocks of a network tell which variant it is. Its name, kernels and norms do not matter."""

import keras
import pytest

from efficientmixnet.modules.network import EfficientNetBuilder, list_variants, reset_classifier
from efficientmixnet.modules.network.weights.published_network import _filters, variant_of


def test_no_two_variants_have_the_same_blocks() -> None:
    found = [tuple(_filters(variant).items()) for variant in list_variants()]
    assert len(set(found)) == len(found) == 15


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "an", "squeeze_excite": "never", "activation": "relu", "mixed": True},
        {"include_top": False, "stem_stride": 1},
        {"features": True, "data_format": "channels_first", "input_shape": (3, 64, 64)},
    ],
    ids=str,
)
def test_a_variant_is_found_in_any_form(options: dict[str, object]) -> None:
    builder = EfficientNetBuilder(**{"input_shape": (64, 64, 3)} | options)
    assert variant_of(builder.default_model("B1", model_name="mine")) == "EfficientNetB1"


def test_a_variant_is_found_after_its_classifier_is_replaced_and_behind_other_layers() -> None:
    image = keras.Input((64, 64, 3))
    builder = EfficientNetBuilder(input_tensor=keras.layers.Rescaling(1 / 255)(image))
    assert variant_of(reset_classifier(builder.default_model("MixNetS"), 3)) == "MixNetS"


def test_other_blocks_are_no_variant() -> None:
    builder = EfficientNetBuilder((64, 64, 3))
    assert variant_of(builder.custom_model(["r1_k3_s11_e1_i32_o16"], model_name="EfficientNetB0")) is None
    assert variant_of(builder.scaled_model(0.5)) is None
    assert variant_of(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])) is None
