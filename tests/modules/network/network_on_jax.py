"""What has to hold on Keras's JAX backend too; run by test_network_on_jax.py in a process of its own."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import timm_rule

from efficientmixnet.modules.network import EfficientNetBuilder, freeze, load_timm_weights, reset_classifier

BLOCKS = ["r1_k3_s11_e1_i8_o8_se0.5", "r2_k3.5_s22_e2_i8_o16_a1.1_p1.1_se0.25"]
PICTURE = np.random.default_rng(0).random((2, 16, 16, 3), "float32")


def tiny(**options):
    builder = EfficientNetBuilder(**{"input_shape": (16, 16, 3), "classes": 5} | options)
    return builder.custom_model(BLOCKS, stem_filters=8, head_filters=24)


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def timms_logits_are_ours():
    expected = timm_rule.reference("tf_mixnet_s")
    model = EfficientNetBuilder((64, 64, 3), classifier_activation=None).default_model("MixNetS")
    load_timm_weights(model, timm_rule.weights_by_rule(expected["weights"]))
    logits = model.predict(timm_rule.picture(64), verbose=0)[0]
    scale = np.abs(expected["logits_every_50th"]).max()
    np.testing.assert_allclose(logits[::50], expected["logits_every_50th"], atol=1e-3 * scale)


def every_norm_trains_saves_and_loads(typeBN, activation):
    model = tiny(typeBN=typeBN, activation=activation, input_shape=(None, None, 3))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    labels = np.array([1, 3])
    before = model.evaluate(PICTURE, labels, verbose=0)
    model.fit(PICTURE, labels, epochs=1, verbose=0)
    assert model.evaluate(PICTURE, labels, verbose=0) != before
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.keras"
        model.save(path)
        np.testing.assert_array_equal(keras.saving.load_model(path)(PICTURE), model(PICTURE))
        loaded = tiny(typeBN=typeBN, activation=activation, weights=path)
        np.testing.assert_allclose(loaded(PICTURE), model(PICTURE), atol=1e-6)


def channels_first_is_channels_last_transposed(typeBN):
    last = tiny(typeBN=typeBN)
    first = tiny(typeBN=typeBN, data_format="channels_first", input_shape=(3, 16, 16))
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(first(PICTURE.transpose(0, 3, 1, 2)), last(PICTURE), atol=1e-5)


def fine_tuning_works():
    model = reset_classifier(tiny(), 3)
    freeze(model)
    assert [weight.path for weight in model.trainable_weights] == ["predictions/kernel", "predictions/bias"]
    np.testing.assert_allclose(numbers(model(PICTURE)).sum(axis=1), 1, rtol=1e-5)


if __name__ == "__main__":
    assert keras.backend.backend() == "jax"
    timms_logits_are_ours()
    for norm, activation in (("bn", "swish"), ("an", "mish"), ("iebn", "relu")):
        every_norm_trains_saves_and_loads(norm, activation)
        channels_first_is_channels_last_transposed(norm)
    fine_tuning_works()
