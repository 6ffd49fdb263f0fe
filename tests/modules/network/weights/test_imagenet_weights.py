"""Every network starts from the published weights of its variant, and weights that cannot fit are not downloaded."""

import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.network import EfficientNetBuilder, load_imagenet_weights
from efficientmixnet.modules.network.weights.published_start import start_from
from efficientmixnet.modules.network.weights.start import InexactStart

_spec = importlib.util.spec_from_file_location("timm_rule", Path(__file__).parents[1] / "timm_rule.py")
assert _spec and _spec.loader
timm_rule = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(timm_rule)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, their_network: Callable[..., keras.Model]) -> keras.Model:
    """The B0 of keras.applications, which takes the place of the download."""
    model = their_network("B0")
    monkeypatch.setattr(keras.applications, "EfficientNetB0", lambda **options: model)
    return model


def _difference(source: keras.Model, **options: object) -> float:
    """The mean difference of the logits of 4 images, as a fraction of their deviation."""
    builder = EfficientNetBuilder((64, 64, 3), weights="imagenet", classifier_activation=None, **options)
    images = np.random.default_rng(1).random((4, 64, 64, 3)).astype("float32")
    expected = np.asarray(source(images * 255))  # they divide by 255 themselves
    return float(np.abs(np.asarray(builder.default_model("B0")(images)) - expected).mean() / expected.std())


@pytest.mark.parametrize("options", [{}, {"norm": "an"}, {"norm": "iebn"}], ids=str)
def test_other_norms_start_with_the_published_function(published: keras.Model, options: dict[str, object]) -> None:
    assert _difference(published, **options) < 1e-4


@pytest.fixture
def channels_first() -> Iterator[None]:
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def test_networks_with_channels_first_start_from_the_same_weights(channels_first: None) -> None:
    model: keras.Model = EfficientNetBuilder((3, 64, 64)).default_model("B0")
    loaded: list[keras.Model] = []
    start_from(model, "EfficientNetB0", loaded.append)
    (plain,) = loaded
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("options", "reason", "most"),
    [
        ({"mixed": True}, "7 depthwise convolutions have smaller kernels$", 0.1),
        ({"activation": "mish"}, "mish instead of swish$", 1.0),
        ({"squeeze_excite": "never"}, "gates of squeeze-excite are constant$", 0.3),
        ({"mixed": True, "norm": "an", "activation": "mish"}, "smaller kernels, mish instead of swish$", 1.0),
        ({"pooling": "max"}, "max instead of average pooling$", 10.0),
        ({"batch_norm_epsilon": 1e-2}, r"epsilon 0\.01 instead of 0\.001$", 0.3),
        ({"stem_stride": 1}, "stem_conv has a stride of 1$", 10.0),
    ],
)
def test_a_start_that_is_not_exact_warns_with_the_reason(
    published: keras.Model, options: dict[str, object], reason: str, most: float
) -> None:
    with pytest.warns(InexactStart, match=f"^the network does not start exactly as published: .*{reason}"):
        difference = _difference(published, **options)
    assert 1e-3 < difference < most


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 10}, r"10 classes, ImageNet 1000; .*reset_classifier\(model, 10\)"),
        ({"embedding_width": 64}, "'head_conv'"),
    ],
)
def test_weights_that_cannot_fit_are_not_downloaded(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, int], message: str
) -> None:
    monkeypatch.setattr(keras.applications, "EfficientNetB0", lambda **_: pytest.fail("downloads"))
    with pytest.raises(ValueError, match=message):
        EfficientNetBuilder((64, 64, 3), weights="imagenet", **options).default_model("B0")


def test_blocks_under_the_name_of_a_variant_are_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.applications, "EfficientNetB0", lambda **_: pytest.fail("downloads"))
    model = EfficientNetBuilder((64, 64, 3)).custom_model(["r1_k3_s11_e1_i32_o16"])
    with pytest.raises(ValueError, match="'head_conv'"):
        load_imagenet_weights(model, "EfficientNetB0")


def test_a_variant_without_published_weights_is_refused() -> None:
    with pytest.raises(ValueError, match=r"none for EfficientNetB8, only for EfficientNetB0, .*MixNetXL"):
        EfficientNetBuilder((64, 64, 3), weights="imagenet").default_model("B8")


def test_mixnets_start_from_timms_published_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub gives a file with timm's names. The logits are those that timm computes with PyTorch."""
    from safetensors.numpy import save_file

    expected = timm_rule.reference("tf_mixnet_s")
    tensors = timm_rule.weights_by_rule(expected["weights"])
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, tmp_path / "model.safetensors")
    asked = []

    def download(repository: str, file: str) -> str:
        asked.append((repository, file))
        return str(tmp_path / file)

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(hf_hub_download=download))
    builder = EfficientNetBuilder((expected["size"],) * 2 + (3,), weights="imagenet", classifier_activation=None)
    logits = np.asarray(builder.default_model("MixNetS")(timm_rule.image(expected["size"])))[0]
    assert asked == [("timm/tf_mixnet_s.in1k", "model.safetensors")]
    scale = np.abs(expected["logits_every_50th"]).max()
    np.testing.assert_allclose(logits[::50], expected["logits_every_50th"], atol=1e-3 * scale)


def test_mixnets_without_the_hubs_package_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"MixNetS need huggingface_hub; pip install 'efficientmixnet\[timm\]'"):
        EfficientNetBuilder((64, 64, 3), weights="imagenet").default_model("MixNetS")


@pytest.mark.parametrize(
    ("epsilon", "reasons"),
    [
        (1e-3, "epsilon 0.001 instead of 1e-05, timm trained its weights with another padding"),
        (1e-5, "timm trained its weights with another padding"),
    ],
)
def test_weights_that_pytorch_trained_are_not_exact_here(epsilon: float, reasons: str) -> None:
    builder = EfficientNetBuilder((64, 64, 3), classes=2, batch_norm_epsilon=epsilon)
    with pytest.warns(InexactStart) as caught:
        start_from(builder.default_model("MixNetXL"), "MixNetXL", lambda plain: None)
    assert [str(each.message) for each in caught] == [f"the network does not start exactly as published: {reasons}"]
