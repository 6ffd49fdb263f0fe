"""Tests of starting_weights: weights that cannot work are refused before a run."""

import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import keras
import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.pipeline.config.config import load_config
from efficientmixnet.pipeline.starting_weights import check_download, check_weights, find_weights

BLOCKS = ("r1_k3_s22_e1_i8_o8", "r1_k3_s22_e2_i8_o16")
OTHERS = ("r1_k3_s22_e1_i8_o8", "r1_k3_s22_e2_i8_o24")


def _network(weights: Path, blocks: tuple[str, ...] = BLOCKS) -> NetworkConfig:
    return NetworkConfig(
        variant="custom", blocks=blocks, stem_filters=8, head_filters=16, image_size=16, weights=str(weights)
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same network as model.keras and model.weights.h5."""
    folder = tmp_path_factory.mktemp("saved")
    model: keras.Model = EfficientNetBuilder((16, 16, 3), classes=3).custom_model(
        BLOCKS, stem_filters=8, head_filters=16
    )
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    return folder


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_weights_of_the_network_are_accepted(saved: Path, name: str) -> None:
    assert find_weights(str(saved / name)) == str(saved / name)
    check_weights(_network(saved / name))


def test_weights_are_checked_in_the_format_of_training_whatever_keras_json_says(saved: Path) -> None:
    keras.config.set_image_data_format("channels_first")
    try:
        check_weights(_network(saved / "model.keras"))
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_weights_of_another_network_are_refused_with_the_layer(saved: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"^network\.weights: .*stage2_block1"):
        check_weights(_network(saved / name, OTHERS))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.keras", None, "does not exist; give imagenet, latest, or a path that exists"),
        ("text.keras", b"text", "is not a .keras file, or is damaged"),
        ("text.h5", b"text", "is not a .h5 file, or is damaged"),
        ("empty.weights.h5", b"", "is not a .h5 file, or is damaged"),
        ("notes.txt", b"text", "is not a weights file; give one that ends with .keras, .weights.h5, .h5 or"),
    ],
)
def test_a_path_without_weights_is_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as caught:
        find_weights(str(tmp_path / name))
    assert str(caught.value).startswith(f"network.weights: {tmp_path / name} {message}")


def test_a_folder_without_a_model_and_a_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no model; give a folder that a run printed as its pushed model"):
        find_weights(str(tmp_path))
    with pytest.raises(BadInput, match="/dev/zero is not a weights file"):
        find_weights("/dev/zero")


@pytest.mark.parametrize("content", [{}, {"config.json": "{"}, {"config.json": "[" * 10**5}, {"config.json": "[]"}])
def test_an_archive_without_a_model_is_refused(tmp_path: Path, content: dict[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        for name, text in {"other": "", **content}.items():
            archive.writestr(name, text)
    with pytest.raises(BadInput, match=r"a\.keras: is damaged \(.*\); give other weights in network\.weights"):
        check_weights(_network(tmp_path / "a.keras"))


def test_weights_in_an_object_store_are_refused_with_the_configuration() -> None:
    with pytest.raises(BadInput, match=r"network\.weights: s3://bucket/a\.h5 is in an object store; copy it"):
        load_config(None, ["network.weights=s3://bucket/a.h5"])


def test_imagenet_without_a_network_is_refused_with_the_file_to_give(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(url: str, timeout: float) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    network = NetworkConfig(variant="B0", weights="imagenet", mixed=True)
    start = time.monotonic()
    with pytest.raises(BadInput) as caught:
        check_download(network)
    assert time.monotonic() - start < 1
    assert str(caught.value) == (
        "network.weights: imagenet cannot be downloaded (Name or service not known); download "
        "https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5 elsewhere, and give its path in "
        "network.weights"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "efficientnetb0_notop.h5").touch()
    check_download(network)


def test_imagenet_for_a_mixnet_without_the_hubs_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BadInput, match=r"pip install 'efficientmixnet\[timm\]', or download https.*tf_mixnet_s"):
        check_download(NetworkConfig(variant="MixNetS", weights="imagenet"))


@pytest.mark.parametrize("variant", ["B8", "MixNetXXL"])
def test_imagenet_for_a_variant_without_published_weights_is_refused(variant: str) -> None:
    with pytest.raises(ValueError, match=f"no weights for the variant {variant}; use B0 to B7, MixNetS"):
        NetworkConfig(variant=variant, weights="imagenet")


def test_a_start_that_is_not_exact_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras.applications.EfficientNetB0(weights=None, include_top=False).save_weights(tmp_path / "b0.weights.h5")
    check_weights(NetworkConfig(image_size=64, weights=str(tmp_path / "b0.weights.h5"), activation="mish", norm="an"))
    assert capsys.readouterr().out.splitlines() == [
        "network.weights: the network does not start exactly as published: mish instead of swish"
    ]
