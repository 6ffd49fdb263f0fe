"""timm's weights give timm's numbers: stage statistics and logits of two models, computed with PyTorch."""

import importlib.util
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import EfficientNetBuilder, load_timm_weights
from efficientmixnet.modules.network.weights.start import InexactStart

_spec = importlib.util.spec_from_file_location("timm_rule", Path(__file__).parents[1] / "timm_rule.py")
timm_rule = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(timm_rule)

VARIANTS = {"tf_efficientnet_b0": "B0", "tf_mixnet_s": "MixNetS"}


@pytest.fixture(scope="module")
def mixnet_tensors():
    return timm_rule.weights_by_rule(timm_rule.reference("tf_mixnet_s")["weights"])


def build(name="MixNetS", size=64, **options):
    return EfficientNetBuilder((size, size, 3), classifier_activation=None, **options).default_model(name)


@pytest.mark.parametrize("name", VARIANTS)
def test_stages_and_logits_equal_timms(name):
    expected = timm_rule.reference(name)
    size = expected["size"]
    model = load_timm_weights(build(VARIANTS[name], size), timm_rule.weights_by_rule(expected["weights"]))
    last = {"stem": "stem_activation"}
    for layer in model.layers:
        if layer.name.startswith("stage"):
            last[f"stage{int(layer.name.split('_')[0][5:]) - 1}"] = layer.name  # timm counts from 0
    taps = {stage: model.get_layer(layer).output for stage, layer in last.items()}
    stages, logits = keras.Model(model.input, [taps, model.output])(timm_rule.image(size))

    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == expected["parameters"]
    assert stages.keys() == {stage for stage, *_ in expected["stages"]}
    for stage, (batch, channels, height, width), mean, std in expected["stages"]:
        values = keras.ops.convert_to_numpy(stages[stage])
        assert values.shape == (batch, height, width, channels)
        assert values.mean() == pytest.approx(mean, abs=1e-3 * std)
        assert values.std(ddof=1) == pytest.approx(std, rel=1e-3)
    logits = keras.ops.convert_to_numpy(logits)[0]
    scale = np.abs(expected["logits_every_50th"]).max()
    np.testing.assert_allclose(logits[::50], expected["logits_every_50th"], atol=1e-3 * scale)
    assert logits.mean() == pytest.approx(expected["logits_mean"], abs=1e-3 * expected["logits_std"])
    assert logits.std() == pytest.approx(expected["logits_std"], rel=1e-3)


def test_a_safetensors_file_loads_like_the_mapping(mixnet_tensors, tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "mixnet.safetensors"
    counters = {"bn1.num_batches_tracked": np.zeros((), "int64")}
    save_file({name: np.ascontiguousarray(value) for name, value in (mixnet_tensors | counters).items()}, path)
    from_file = EfficientNetBuilder((64, 64, 3), weights=path).default_model("MixNetS")
    from_mapping = load_timm_weights(build(), mixnet_tensors)
    for ours, theirs in zip(from_file.get_weights(), from_mapping.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_missing_safetensors_is_reported(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    path = tmp_path / "mixnet.safetensors"
    path.touch()
    with pytest.raises(ImportError, match="pip install safetensors"):
        load_timm_weights(build(), path)
    with pytest.raises(ValueError, match="there is no such file"):
        load_timm_weights(build(), tmp_path / "other.safetensors")


@pytest.mark.parametrize("content", [b"", b"a text file", b"a longer text file"])
def test_a_file_that_is_not_safetensors_is_named(tmp_path, content):
    path = tmp_path / "mixnet.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mixnet\.safetensors': this is not a safetensors file, or it is damaged"):
        load_timm_weights(build(), path)


def test_a_headless_model_and_gray_images_are_supported(mixnet_tensors):
    model = EfficientNetBuilder((64, 64, 1), include_top=False, pooling=None).default_model("MixNetS")
    load_timm_weights(model, mixnet_tensors)
    stem = model.get_layer("stem_conv").get_weights()[0]
    summed = mixnet_tensors["conv_stem.weight"].sum(axis=1).transpose(1, 2, 0)  # OIHW -> HWO
    np.testing.assert_allclose(stem[:, :, 0], summed, rtol=1e-6)


@pytest.mark.parametrize(
    ("variant", "options", "complaint"),
    [
        ("MixNetS", {"classes": 10}, r"'predictions'.*\(1536, 10\).*\(1536, 1000\).*reset_classifier"),
        ("MixNetM", {}, r"'stem_conv'.*\(3, 3, 3, 24\).*\(3, 3, 3, 16\).*another variant"),
    ],
)
def test_weights_of_another_network_are_refused(mixnet_tensors, variant, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        load_timm_weights(build(variant, **options), mixnet_tensors)


def test_weights_left_over_are_refused(mixnet_tensors):
    extra = {"blocks.5.3.conv_pw.weight": np.zeros((1, 1, 1, 1), "float32")}
    with pytest.raises(ValueError, match=r"no place for 'blocks\.5\.3\.conv_pw\.weight'"):
        load_timm_weights(build(), mixnet_tensors | extra)


def test_the_names_of_a_resnet_are_listed_beside_ours_though_both_have_bn1():
    norms = {f"bn1.{part}": np.ones(32) for part in ("weight", "bias", "running_mean", "running_var")}
    resnet = {"conv1.weight": np.ones((64, 3, 7, 7)), "layer1.0.conv1.weight": np.ones((64, 64, 1, 1)), **norms}
    message = r"only 1 of the 115 layers; the model expects conv_stem\.weight, .*, and the source has conv1\.weight, "
    with pytest.raises(ValueError, match=message):
        load_timm_weights(build("B0"), resnet)


def test_weights_that_timm_trained_itself_are_not_exact_here(mixnet_tensors, tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "mixnet_s.ft_in1k.safetensors"
    save_file({name: np.ascontiguousarray(value) for name, value in mixnet_tensors.items()}, path)
    with pytest.warns(InexactStart, match=r"epsilon 0\.001 instead of 1e-05, timm trained its weights with another pa"):
        load_timm_weights(build(), path)
