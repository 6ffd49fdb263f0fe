"""The layers in a SavedModel, whose outputs equal the model's."""

from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import (
    AttentiveNormalization,
    BatchNormalization,
    DropConnect,
    GroupedPointwiseConv2D,
    InstanceEnhancementBatchNormalization,
    Mish,
    MixedDepthwiseConv2D,
    SqueezeExcite,
    Swish,
)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
def test_every_layer_and_option_is_exported(tmp_path: Path, rng: np.random.Generator) -> None:
    import tensorflow as tf

    inputs = keras.Input((None, None, 5))
    x = inputs
    for layer in (
        MixedDepthwiseConv2D([3, 5, 7], 2),
        BatchNormalization(),
        Swish(),
        GroupedPointwiseConv2D(8, 2, use_bias=True),
        BatchNormalization(synchronized=True),
        SqueezeExcite(0.5, input_filters=5),
        AttentiveNormalization(),
        MixedDepthwiseConv2D(3, dilation_rate=2, use_bias=True),
        Mish(),
        AttentiveNormalization(form="hard_sigmoid"),
        SqueezeExcite(kind="dense"),
        InstanceEnhancementBatchNormalization(),
        DropConnect(0.5),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    pictures = rng.standard_normal((2, 9, 11, 5), "float32")
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(pictures, np.zeros((2, 5, 6, 8), "float32"), verbose=0)
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(pictures), model.predict(pictures, verbose=0), atol=1e-6)
