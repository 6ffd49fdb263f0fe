"""Tests of StartingWeights: the pixel scaling of each kind of file."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network.imagenet import MEAN, STD
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.starting_weights import StartingWeights

SMALL = NetworkConfig(variant="custom", blocks=("r1_k3_s22_e1_i8_o8",), stem_filters=8, head_filters=16)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ours and keras.applications' networks, each as .keras, .weights.h5 and .h5."""
    folder = tmp_path_factory.mktemp("saved")
    ours = build_model(SMALL, 8, 2, 10, mean=[0.5, 0.2, 0.4], deviation=[0.25, 0.1, 0.2])
    theirs = keras.applications.EfficientNetB0(weights=None, include_top=False)
    for name, model in {"ours": ours, "theirs": theirs}.items():
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        model.save(folder / f"{name}.h5")
    (scaling,) = (layer for layer in theirs.layers if isinstance(layer, keras.layers.Normalization))
    scaling.set_weights([*np.array([MEAN, STD]), np.array(0)])  # as in the published files
    theirs.save(folder / "imagenet.keras")
    theirs.save(folder / "imagenet.h5")
    _without_configuration(folder / "imagenet.h5", folder / "published.h5")
    _without_configuration(folder / "theirs.h5", folder / "trained.h5")
    _without_configuration(folder / "ours.h5", folder / "ours_only_weights.h5")
    return folder


def _without_configuration(model: Path, weights: Path) -> None:
    """Writes the weights of a model as the published files have them: at the root, without a configuration."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(model) as source, h5py.File(weights, "w") as file:
        for name in source["model_weights"]:
            source.copy(f"model_weights/{name}", file)


@pytest.mark.parametrize("name", ["imagenet.keras", "imagenet.h5", "published.h5"])
def test_pixels_are_scaled_as_by_keras_applications(saved: Path, name: str) -> None:
    assert StartingWeights.find(str(saved / name)).statistics == (MEAN, STD)


@pytest.mark.parametrize("name", ["theirs.keras", "theirs.weights.h5", "theirs.h5", "trained.h5"])
def test_a_network_of_keras_applications_without_imagenets_weights_divides_by_255(saved: Path, name: str) -> None:
    assert StartingWeights.find(str(saved / name)).statistics == ([0, 0, 0], [1, 1, 1])


@pytest.mark.parametrize("name", ["ours.keras", "ours.h5"])
def test_our_networks_keep_their_scaling_where_it_is_recorded(saved: Path, name: str) -> None:
    found = StartingWeights.find(str(saved / name)).statistics
    assert found is not None
    assert found[0] == pytest.approx([0.5, 0.2, 0.4])
    assert found[1] == pytest.approx([0.25, 0.1, 0.2])


@pytest.mark.parametrize("name", ["ours.weights.h5", "ours_only_weights.h5"])
def test_the_scaling_of_our_weights_alone_is_unknown(saved: Path, name: str) -> None:
    assert StartingWeights.find(str(saved / name)).statistics is None


def test_a_damaged_file_of_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(BadInput, match=r"^network\.weights: weights .*a\.weights\.h5': this is not a file"):
        StartingWeights.find(str(tmp_path / "a.weights.h5"))


def test_timms_weights_scale_pixels_as_imagenet_unless_they_are_known_to_differ(tmp_path: Path) -> None:
    for name, statistics in {"a": (MEAN, STD), "tf_efficientnet_b0.ap_in1k": ((0.5,) * 3, (0.5,) * 3)}.items():
        (tmp_path / f"{name}.safetensors").touch()
        assert StartingWeights.find(str(tmp_path / f"{name}.safetensors")).statistics == statistics


def test_a_damaged_config_beside_timms_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BadInput, match=r"^network\.weights: .*config\.json: is not JSON, or damaged"):
        StartingWeights.find(str(tmp_path / "a.safetensors"))


@pytest.mark.parametrize("scale", [[0.0] * 3, [float("nan")] * 3, [1e-320] * 3, ["a"] * 3], ids=str)
def test_a_scaling_that_no_network_has_is_named(tmp_path: Path, scale: list[Any]) -> None:
    layer = {"class_name": "Rescaling", "config": {"scale": scale, "offset": [0.0] * 3}}
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [layer]}}))
    with pytest.raises(BadInput, match=r"a\.keras: is damaged \(.*\); give other weights in network\.weights"):
        StartingWeights.find(str(tmp_path / "a.keras"))
