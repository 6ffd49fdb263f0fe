"""Published weights are found where Keras and the hub keep their downloads."""

import sys
import types
from pathlib import Path

import pytest

from efficientmixnet.modules.network.weights.published import published


def test_an_efficientnet_is_found_in_the_folder_of_keras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert published("EfficientNetB3").found is None
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "efficientnetb3_notop.h5"
    file.touch()
    assert published("EfficientNetB3").found == file
    assert published("EfficientNetB3").url.endswith("/keras-applications/efficientnetb3_notop.h5")


def test_a_mixnet_is_found_in_the_cache_of_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    cache = {("timm/mixnet_xl.ra_in1k", "model.safetensors"): str(file)}
    hub = types.SimpleNamespace(try_to_load_from_cache=lambda *key: cache.get(key))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert published("MixNetXL").found is None
    file.touch()
    assert published("MixNetXL").found == file
    assert published("MixNetM").found is None


def test_the_hub_can_be_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror:8000")
    expected = "http://mirror:8000/timm/tf_mixnet_l.in1k/resolve/main/model.safetensors"
    assert published("MixNetL").url == expected


def test_a_variant_without_published_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="there are none for MixNetXXL"):
        published("MixNetXXL")
