"""Tests of the commands with arrays of floats that a model of 8 bits would get as black or white."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from click.testing import CliRunner

from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.scoring.quick_classifier import quick_classifier
from efficientmixnet.pipeline.scoring.shard_scorer import ShardScorer
from efficientmixnet.pipeline.try_page.explained import Explained

REASON = "has floats from 0 to 255; give float32 (0 to 1) or uint8 (0 to 255)"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, push_reader: Callable[..., None]) -> dict[str, Path]:
    """A model of 8 bits, and one that was trained on floats."""
    folder = tmp_path_factory.mktemp("models")
    push_reader(folder / "of_8_bits", tf.uint8)
    push_reader(folder / "deep", tf.float32)
    return {name: folder / name for name in ("of_8_bits", "deep")}


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same image as floats from 0 to 255, which Keras gives, and from 0 to 1."""
    folder = tmp_path_factory.mktemp("arrays")
    image = np.linspace(0, 255, 75, dtype=np.float32).reshape(5, 5, 3)
    np.save(folder / "255.npy", image)
    np.save(folder / "1.npy", image / 255)
    np.save(folder / "bytes.npy", image.astype(np.uint8))
    return folder


def test_both_ways_to_load_a_model_know_its_pixels(models: dict[str, Path]) -> None:
    for name, folder in models.items():
        quick = quick_classifier(folder)
        assert quick is not None
        assert quick.has_8_bits == Classifier(str(folder)).has_8_bits == (name == "of_8_bits")


def test_predict_refuses_them(models: dict[str, Path], arrays: Path) -> None:
    names = ["1.npy", "255.npy", "bytes.npy"]
    command = ["predict", str(models["of_8_bits"]), *(str(arrays / name) for name in names)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2, result.output
    assert f"{arrays / '255.npy'}: {REASON}" in result.output.splitlines()
    assert result.output.count("bright 1.0000") == 2
    result = CliRunner().invoke(main, ["predict", str(models["deep"]), *command[2:]])
    assert result.exit_code == 0, result.output


def test_score_lists_the_reason(models: dict[str, Path], arrays: Path, tmp_path: Path) -> None:
    reasons = {}
    for name, folder in models.items():
        ShardScorer(str(folder), str(arrays)).score(["1.npy", "255.npy"], tmp_path / name)
        reasons[name] = pq.read_table(tmp_path / name)["reason"].to_pylist()
    assert reasons == {"of_8_bits": [None, REASON], "deep": [None, None]}


def test_the_page_of_try_shows_the_reason(models: dict[str, Path], arrays: Path) -> None:
    explained = Explained(Classifier(str(models["of_8_bits"])))
    assert explained.classify((arrays / "255.npy").read_bytes()) == {"error": f"The image {REASON}."}
    assert explained.classify((arrays / "1.npy").read_bytes())["labels"][0]["label"] == "bright"
