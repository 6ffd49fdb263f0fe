"""A run on images of five channels: each way to predict gives the same probabilities, for arrays and TIFF files."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CHANNELS = 5
SERVED = """
import json, sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
array = np.load(sys.argv[2])
encoded = model.signatures["serving_default"](tf.constant([open(sys.argv[2], "rb").read()]))
arrays = model.signatures[f"serving_{array.dtype}"](tf.constant(array[None]))
print(json.dumps([one["probabilities"].numpy()[0].tolist() for one in (encoded, arrays)]))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes that differ in the last channel only: .npy files in one folder, and the same as TIFF in another."""
    folder, draws = tmp_path_factory.mktemp("bands"), np.random.default_rng(0)
    for label, brightness in (("dark", 800), ("light", 2200)):
        for kind in ("npy", "tiff"):
            (folder / kind / label).mkdir(parents=True)
        for number in range(30):
            values = draws.normal(1000, 200, (20 + number % 7, 24, CHANNELS))
            values[..., -1] += brightness
            values = values.astype(np.uint16)
            np.save(folder / "npy" / label / f"{number}.npy", values)
            tiff = folder / "tiff" / label / f"{number}.tiff"
            tifffile.imwrite(tiff, np.moveaxis(values, -1, 0), photometric="minisblack", planarconfig="separate")
    np.save(folder / "npy" / "dark" / "four.npy", values[..., :4])
    return folder


def test_five_channels_are_trained_reported_and_served(efficientmixnet, small_config, data, tmp_path, summary):
    settings = yaml.safe_load(Path(small_config).read_text())
    settings["data"] = {"images": str(data / "npy"), "channels": "auto", "bands": [4, 0, 1], "max_left_out": 0.1}
    settings["training"]["augmentation"] = {"randaugment_layers": 1, "erasing_probability": 0.2}
    (tmp_path / "bands.yaml").write_text(yaml.safe_dump(settings))
    output = tmp_path / "runs"
    done = efficientmixnet("run", tmp_path / "bands.yaml", "--output", output)
    assert done.returncode == 0, done.stderr
    assert "data.channels: 5, as in" in done.stdout + done.stderr
    assert "RandAugment leaves out auto_contrast" in done.stdout + done.stderr
    found = summary(output)
    assert found["accuracy"] == 1.0
    assert found["images"]["left_out_by_reason"] == {"has … channels, not …": 1}

    image = data / "npy" / "dark" / "3.npy"
    served = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SERVED, found["pushed_model"], image], capture_output=True, text=True, check=True
    )
    encoded, arrays = json.loads(served.stdout)
    done = efficientmixnet("predict", output, image, data / "tiff" / "dark" / "3.tiff", "--json")
    predicted = [json.loads(line)["predictions"] for line in done.stdout.splitlines()]
    scores = tmp_path / "scores.csv"
    done = efficientmixnet("score", output, data / "tiff", "--output", scores)
    assert done.returncode == 0, done.stderr
    rows = {row["file"]: row for row in csv.DictReader(scores.open())}
    for probability in (
        encoded[0],
        arrays[0],
        *({one["label"]: one["probability"] for one in labels}["dark"] for labels in predicted),
        float(rows["dark/3.tiff"]["probability"]),
    ):
        assert probability == pytest.approx(encoded[0], abs=2e-6)

    done = efficientmixnet("evaluate", output, data / "tiff", "--output", tmp_path / "evaluation")
    assert done.returncode == 0, done.stderr
    evaluated = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())
    right = sum(row["label"] == name.split("/")[0] for name, row in rows.items())
    assert evaluated["images"] == len(rows) == 60
    assert evaluated["metrics"]["accuracy"]["value"] == pytest.approx(right / 60)
