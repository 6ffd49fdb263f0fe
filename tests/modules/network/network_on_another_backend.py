"""Checks for every Keras backend. test_network_on_other_backends.py runs them, each backend in its own process."""

import sys
import time
from pathlib import Path

import keras
import numpy as np
import timm_rule

from efficientmixnet.modules.network import EfficientNetBuilder, load_timm_weights, unfreeze
from efficientmixnet.modules.network.weights.squeeze_excite import fold_squeeze_excite

BLOCKS = ["r1_k3_s11_e1_i8_o8_aswish_ban_se0.5", "r2_k3.5_s22_e2_i8_o16_a1.1_p1.1_amish_biebn_se0.25"]
IMAGE = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
LABELS = np.array([1, 3])


def tiny(**options) -> keras.Model:
    """Every norm and two activations in one small network."""
    defaults = {"input_shape": (None, None, 3), "classes": 5, "drop_connect_rate": 0.0, "classifier_activation": None}
    builder = EfficientNetBuilder(**defaults | options)
    return builder.custom_model(BLOCKS, dropout_rate=0.0, stem_filters=8, head_filters=24)


def outputs(model: keras.Model, images: np.ndarray = IMAGE) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images))


def trained_outputs(model: keras.Model) -> np.ndarray:
    """The logits after one step of training."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss, jit_compile=False)
    model.train_on_batch(IMAGE, LABELS)
    return outputs(model)


def equal_to_the_other_backend(folder: Path) -> None:
    """The other backend's model, loaded here, takes the same step of training; so does its channels-first form."""
    expected = np.load(folder / "expected.npz")
    tolerance = 1e-4 * np.abs(expected["outputs"]).max()
    model = tiny(weights=folder / "tiny.keras")
    np.testing.assert_allclose(outputs(model), expected["outputs"], atol=tolerance)
    np.testing.assert_array_equal(outputs(keras.saving.load_model(folder / "tiny.keras")), outputs(model))
    first = tiny(data_format="channels_first", input_shape=(3, 16, 16))
    first.set_weights(model.get_weights())
    np.testing.assert_allclose(outputs(first, IMAGE.transpose(0, 3, 1, 2)), expected["outputs"], atol=tolerance)
    np.testing.assert_allclose(trained_outputs(model), expected["trained"], atol=10 * tolerance)


def built_fast() -> None:
    """Seconds of processor time; where the backend draws and compiles the initial weights itself it takes 6 to 16."""
    start = time.process_time()
    EfficientNetBuilder().default_model("B0")
    assert time.process_time() - start < 5


def fine_tuned() -> None:
    """The attention learns in fine-tuning, and the moving statistics stay."""
    model = tiny(norm="an")
    unfreeze(model)
    before = model.get_weights()
    trained_outputs(model)
    pairs = zip(model.weights, before, model.get_weights(), strict=True)
    changed = {weight.path for weight, old, new in pairs if not np.array_equal(old, new)}
    assert {"stem_norm/attention_kernel", "head_norm/gamma"} <= changed
    assert not [path for path in changed if "moving" in path]


def gates_folded() -> None:
    """A squeeze-excite with kernels of 0 and a bias of 1 multiplies by sigmoid(1)."""
    model = tiny(norm="bn")
    layer = model.get_layer("stage1_block1_squeeze_excite")
    *others, bias = (np.zeros_like(weight) for weight in layer.get_weights())
    layer.set_weights([*others, bias + 1])
    arrays = {each.name: each.get_weights() for each in model.layers if each.weights}
    (before,) = arrays["stage1_block1_project_conv"]
    fold_squeeze_excite(arrays, model, ())
    np.testing.assert_allclose(arrays["stage1_block1_project_conv"][0], before / (1 + np.exp(-1)), rtol=1e-5)


def equal_to_timm(name: str, variant: str) -> None:
    expected = timm_rule.reference(name)
    size = expected["size"]
    model = EfficientNetBuilder((size, size, 3), classifier_activation=None).default_model(variant)
    load_timm_weights(model, timm_rule.weights_by_rule(expected["weights"]))
    logits = model.predict(timm_rule.image(size), verbose=0)[0]
    scale = np.abs(expected["logits_every_50th"]).max()
    np.testing.assert_allclose(logits[::50], expected["logits_every_50th"], atol=1e-3 * scale)


if __name__ == "__main__":
    if sys.argv[1:]:
        built_fast()
        gates_folded()
        fine_tuned()
        equal_to_the_other_backend(Path(sys.argv[1]))
    else:
        equal_to_timm("tf_efficientnet_b0", "B0")
        equal_to_timm("tf_mixnet_s", "MixNetS")
