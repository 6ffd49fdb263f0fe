"""How timm trained weights is read from its config.json, or from the names of the file and its folders."""

import json
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.modules.network.weights.timm_config import TimmConfig

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INCEPTION = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _beside(tmp_path: Path, config: Any) -> Path:
    """Writes a config.json, and returns the path of the weights beside it."""
    (tmp_path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return tmp_path / "model.safetensors"


# The scaling of each name is that in timm's table, timm/models/efficientnet.py of timm 1.0.
@pytest.mark.parametrize(
    ("name", "scaling", "has_tensorflows_padding"),
    [
        ("tf_efficientnet_b0.ap_in1k/model.safetensors", INCEPTION, True),
        ("models--timm--tf_efficientnet_b8.ap_in1k/snapshots/0a1b/model.safetensors", INCEPTION, True),
        ("tf_efficientnet_b3_ap-aad25bdd.safetensors", INCEPTION, True),
        ("TF_EfficientNet_B4_AP.safetensors", INCEPTION, True),
        ("tf_efficientnet_b0.aa_in1k/model.safetensors", IMAGENET, True),
        ("tf_efficientnet_b0.ns_jft_in1k.safetensors", IMAGENET, True),
        ("tf_mixnet_s.in1k/model.safetensors", IMAGENET, True),
        ("models--timm--mixnet_xl.ra_in1k/snapshots/0a1b/model.safetensors", IMAGENET, False),
        ("efficientnet_b0.ra_in1k/model.safetensors", IMAGENET, False),
        ("efficientnet_b5.sw_in12k.safetensors", IMAGENET, False),
        ("efficientnet_b0.ra4_e3600_r224_in1k.safetensors", INCEPTION, False),
        ("efficientnet_b1.ra4_e3600_r240_in1k/model.safetensors", INCEPTION, False),
        ("maps/mixnet_s.safetensors", IMAGENET, True),  # somebody's own name, which says nothing
    ],
)
def test_timms_names_tell_the_scaling_and_the_padding(
    tmp_path: Path, name: str, scaling: Any, has_tensorflows_padding: bool
) -> None:
    assert TimmConfig.of(tmp_path / name) == TimmConfig(*scaling, has_tensorflows_padding)


def test_relative_paths_count_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tf_efficientnet_b0.ap_in1k"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert TimmConfig.of("model.safetensors").mean == INCEPTION[0]


@pytest.mark.parametrize("nested", [True, False])
def test_the_config_beside_the_weights_counts_more_than_names(tmp_path: Path, nested: bool) -> None:
    """A file that timm's hub has, in its newer and in its older form, without the keys that do not matter here."""
    scaling = {"mean": [0.4, 0.5, 0.6], "std": [0.1, 0.2, 1]}
    config = {"architecture": "efficientnet_b0", **({"pretrained_cfg": scaling} if nested else scaling)}
    folder = tmp_path / "tf_efficientnet_b0.ap_in1k"
    folder.mkdir()
    assert TimmConfig.of(_beside(folder, config)) == TimmConfig((0.4, 0.5, 0.6), (0.1, 0.2, 1.0), False)


@pytest.mark.parametrize(
    "config", [[], {}, {"architectures": ["ResNet"], "mean": 3}, {"architecture": "tf_efficientnet_b0"}], ids=str
)
def test_a_config_that_does_not_say_it_is_left_alone(tmp_path: Path, config: Any) -> None:
    assert TimmConfig.of(_beside(tmp_path, config)) == TimmConfig(*IMAGENET)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("", "is not JSON, or damaged"),
        ("[" * 100_000, "is not JSON, or damaged"),
        ({"architecture": "tf_mixnet_s", "mean": [0.5] * 3, "std": [0.5, 0.5, 0]}, "std has no number"),
        ({"architecture": "tf_mixnet_s", "mean": [0.5] * 3}, "std has no number"),
        ({"architecture": "tf_mixnet_s", "mean": "0.5", "std": [0.5]}, "mean has no number"),
        ({"architecture": "tf_mixnet_s", "mean": [True], "std": [0.5]}, "mean has no number"),
        ('{"architecture": "tf_mixnet_s", "mean": [NaN], "std": [0.5]}', "mean has no number"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_damaged_config_is_named(tmp_path: Path, config: Any, why: str) -> None:
    with pytest.raises(ValueError, match=rf"config\.json: {why}.*; download it again, or remove it"):
        TimmConfig.of(_beside(tmp_path, config))
