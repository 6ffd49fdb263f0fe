"""Every loader starts every kind of network, and warns if the network does not compute what its source computes."""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import (
    EfficientNetBuilder,
    load_keras_applications_weights,
    load_saved_weights,
    load_timm_weights,
)
from efficientmixnet.modules.network.variants import EFFICIENTNET_BLOCKS
from efficientmixnet.modules.network.weights.start import InexactStart

_spec = importlib.util.spec_from_file_location("timm_rule", Path(__file__).parents[1] / "timm_rule.py")
assert _spec and _spec.loader
timm_rule = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(timm_rule)

IMAGES = np.random.default_rng(1).random((4, 64, 64, 3)).astype("float32")
BLOCKS = ["r1_k3_s11_e1_i8_o8_se0.5", "r2_k5_s22_e2_i8_o16_se0.25"]
CONSTANT = "gates of squeeze-excite are constant"


@pytest.fixture(scope="module")
def theirs(their_network: Callable[..., keras.Model]) -> keras.Model:
    return their_network("B0", classes=10)


def b0(**options: object) -> keras.Model:
    builder = EfficientNetBuilder((64, 64, 3), classes=10, classifier_activation=None, **options)
    return builder.default_model("B0", model_name="mine")


def tiny(blocks: list[str], **options: object) -> keras.Model:
    builder = EfficientNetBuilder((16, 16, 3), classes=5, **options)
    return builder.custom_model(blocks, stem_filters=8, head_filters=24)


def randomized(model: keras.Model) -> keras.Model:
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.5, 1.5, value.shape) for value in model.get_weights()])
    return model


def _from_their_model(model: keras.Model, theirs: keras.Model, folder: Path) -> keras.Model:
    return load_keras_applications_weights(model, theirs)


def _from_their_file(model: keras.Model, theirs: keras.Model, folder: Path) -> keras.Model:
    theirs.save_weights(folder / "theirs.weights.h5")
    return load_saved_weights(model, folder / "theirs.weights.h5")


def _from_our_file(model: keras.Model, theirs: keras.Model, folder: Path) -> keras.Model:
    load_keras_applications_weights(b0(), theirs).save(folder / "ours.keras")
    return load_saved_weights(model, folder / "ours.keras")


@pytest.mark.parametrize(
    ("load", "options", "reason", "most"),
    [
        (_from_their_model, {"mixed": True}, "7 depthwise convolutions have smaller kernels", 0.1),
        (_from_their_model, {"activation": "mish"}, "mish instead of swish", 1.0),
        (_from_their_model, {"squeeze_excite": "auto", "norm": "an"}, CONSTANT, 0.3),
        (_from_their_file, {"squeeze_excite": "never"}, CONSTANT, 0.3),
        (_from_our_file, {"squeeze_excite": "never"}, CONSTANT, 0.3),
        (_from_our_file, {"mixed": True}, "7 depthwise convolutions have smaller kernels", 0.1),
    ],
)
def test_every_loader_starts_close_and_says_why_it_is_not_exact(
    theirs: keras.Model,
    tmp_path: Path,
    load: Callable[[keras.Model, keras.Model, Path], keras.Model],
    options: dict[str, object],
    reason: str,
    most: float,
) -> None:
    known_as = "saved" if load is _from_our_file else "published"
    with pytest.warns(InexactStart) as caught:
        model = load(b0(**options), theirs, tmp_path)
    # Other libraries warn too.
    ours = [each for each in caught if each.category is InexactStart]
    assert [str(each.message) for each in ours] == [f"the network does not start exactly as {known_as}: {reason}"]
    assert ours[0].filename == __file__
    expected = np.asarray(theirs(IMAGES * 255))  # they divide by 255 themselves
    assert 1e-3 < np.abs(np.asarray(model(IMAGES)) - expected).mean() / expected.std() < most


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"squeeze_excite": "never"}, "gates of squeeze-excite are constant"),
        ({"activation": "mish"}, "mish instead of relu, mish instead of swish"),
    ],
)
def test_timms_tensors_start_close_and_say_why_they_are_not_exact(options: dict[str, str], reason: str) -> None:
    tensors = timm_rule.weights_by_rule(timm_rule.reference("tf_mixnet_s")["weights"])
    builder = EfficientNetBuilder((64, 64, 3), classifier_activation=None)
    expected = np.asarray(load_timm_weights(builder.default_model("MixNetS"), tensors)(IMAGES))
    with pytest.warns(InexactStart, match=f"exactly as published: {reason}$"):
        model = load_timm_weights(replace(builder, **options).default_model("MixNetS"), tensors)
    assert 1e-3 < np.abs(np.asarray(model(IMAGES)) - expected).mean() / expected.std() < 1.5


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".h5"])
@pytest.mark.parametrize("norm", ["bn", "an", "iebn"])
def test_a_networks_own_weights_start_it_without_a_warning(tmp_path: Path, norm: str, ending: str) -> None:
    options = {"norm": norm, "activation": "mish", "pooling": "max", "batch_norm_epsilon": 1e-5, "stem_stride": 1}
    saved, path = randomized(tiny(BLOCKS, **options)), tmp_path / f"tiny{ending}"
    saved.save_weights(path) if ending == ".weights.h5" else saved.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InexactStart)
        model = load_saved_weights(tiny(BLOCKS, **options), path)
    np.testing.assert_array_equal(model(IMAGES[:, :16, :16]), saved(IMAGES[:, :16, :16]))


def test_our_weights_of_a_larger_kernel_are_cut_with_a_warning(tmp_path: Path) -> None:
    saved = randomized(tiny(BLOCKS))
    saved.save_weights(tmp_path / "tiny.weights.h5")
    blocks = [block.replace("r2_k5", "r1_k3") for block in BLOCKS]
    smaller = [*blocks, "r1_k5_s11_e2_i16_o16_se0.25"]
    with pytest.warns(InexactStart, match="exactly as saved: 1 depthwise convolution has a smaller kernel$"):
        model = tiny(smaller, weights=tmp_path / "tiny.weights.h5")
    (given,), (kernel,) = (each.get_layer("stage2_block1_depthwise_conv").get_weights() for each in (saved, model))
    np.testing.assert_array_equal(kernel, given[1:4, 1:4])


@pytest.mark.parametrize("norm", ["bn", "an", "iebn"])
@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_our_weights_start_a_network_without_squeeze_excite(tmp_path: Path, norm: str, ending: str) -> None:
    """With kernels of 0 and biases of 1, every gate is sigmoid(1) for every image, so the start is exact."""
    saved = randomized(tiny(BLOCKS, norm=norm))
    for layer in saved.layers:
        if layer.name.endswith("squeeze_excite"):
            *others, bias = layer.get_weights()
            layer.set_weights([*map(np.zeros_like, others), np.ones_like(bias)])
    path = tmp_path / f"tiny{ending}"
    saved.save(path) if ending == ".keras" else saved.save_weights(path)
    with pytest.warns(InexactStart, match="exactly as saved: gates of squeeze-excite are constant$"):
        model = load_saved_weights(tiny(BLOCKS, norm=norm, squeeze_excite="never"), path)
    images = IMAGES[:, :16, :16]
    np.testing.assert_allclose(model(images), saved(images), rtol=1e-4, atol=1e-6)
    kernel, given = (each.get_layer("stage1_block1_project_conv").get_weights()[0] for each in (model, saved))
    np.testing.assert_allclose(kernel / given, 0.7310586, rtol=1e-5)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"activation": "mish"}, "mish instead of swish"),
        ({"activation": "relu"}, "relu instead of swish"),
        ({"pooling": "max"}, "max instead of average pooling"),
        ({"pooling": "max", "include_top": False}, None),
        ({"batch_norm_epsilon": 1e-5}, "epsilon 1e-05 instead of 0.001"),
        ({"stem_stride": 1}, "stem_conv has a stride of 1"),
        ({"norm": "an"}, None),
    ],
    ids=str,
)
def test_a_saved_model_records_what_is_compared(
    tmp_path: Path, ending: str, options: dict[str, object], reason: str | None
) -> None:
    randomized(tiny(BLOCKS)).save(tmp_path / f"tiny{ending}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InexactStart)
        load_saved_weights(tiny(BLOCKS, **options), tmp_path / f"tiny{ending}")
    found = [str(each.message) for each in caught if each.category is InexactStart]
    assert found == ([] if reason is None else [f"the network does not start exactly as saved: {reason}"])


def test_a_saved_models_shortcuts_are_compared(tmp_path: Path) -> None:
    randomized(tiny(BLOCKS)).save(tmp_path / "tiny.keras")
    with pytest.warns(InexactStart, match="exactly as saved: other shortcuts$"):
        tiny([BLOCKS[0] + "_noskip", BLOCKS[1]], weights=tmp_path / "tiny.keras")


def test_a_damaged_configuration_says_nothing(tmp_path: Path) -> None:
    import h5py

    randomized(tiny(BLOCKS)).save(tmp_path / "tiny.h5")
    for text in ("{", "[]", '{"config": {"layers": [1]}}', '{"config": {"layers": [{"config": {}}]}}', "[" * 10**5):
        with h5py.File(tmp_path / "tiny.h5", "a") as file:
            del file.attrs["model_config"]
            file.attrs["model_config"] = text if len(text) < 10**4 else text[: 3 * 10**4]
        load_saved_weights(tiny(BLOCKS, activation="mish"), tmp_path / "tiny.h5")


def test_a_network_of_their_kind_in_another_size_is_cut_with_a_warning() -> None:
    """B0's blocks at half the width, which no published network has."""
    scale = {"width_coefficient": 0.5, "depth_coefficient": 0.3}
    from keras.src.applications.efficientnet import EfficientNet

    their = EfficientNet(**scale, default_size=64, weights=None, input_shape=(64, 64, 3), classes=5)
    blocks = [replace(block, kernel_size=3) for block in EFFICIENTNET_BLOCKS]
    model: keras.Model = EfficientNetBuilder((64, 64, 3), classes=5).custom_model(blocks, **scale)
    depthwise = [layer for layer in their.layers if layer.name.endswith("_dwconv")]
    larger = sum(layer.kernel_size == (5, 5) for layer in depthwise)
    with pytest.warns(InexactStart, match=f"published: {larger} depthwise convolutions have smaller kernels$"):
        load_keras_applications_weights(model, their)


def test_four_channels_start_from_four_channels() -> None:
    """The published network has three channels. The network between the two has as many as the model."""
    source = keras.applications.EfficientNetB0(
        weights=None, input_shape=(64, 64, 4), classes=10, classifier_activation=None
    )
    model: keras.Model = EfficientNetBuilder((64, 64, 4), classes=10).default_model("B0")
    load_keras_applications_weights(model, source)
    np.testing.assert_array_equal(
        model.get_layer("stem_conv").get_weights()[0], source.get_layer("stem_conv").get_weights()[0]
    )
