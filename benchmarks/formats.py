"""Compares the ways to predict on images of 12 formats, in all EXIF orientations and at 4 depths.

Each format has the same number of handwritten digits (format_images.py). One run trains a small network. Then the
images of the evaluation split are classified in these ways:

training         the records that Transform wrote, as training reads them
Evaluator        its accuracy for each combination of format, orientation and depth
predict, score   the commands, on the original files
serving_default  the signature of the pushed model, on the bytes of the original files; files that it refuses are
                 converted first

    python benchmarks/formats.py [--images 200] [--epochs 12]

It fails if a class differs, if a probability differs by more than 0.0001, or if the signature refuses other files than
docs/images.md says.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import yaml

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow logs each file that the signature refuses
import tensorflow as tf
from format_images import COLOR, MANIFEST, Row, write_images, write_manifest
from rich.console import Console
from rich.table import Table

from efficientmixnet.components.evaluator.slices import read_slices
from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.modules import features
from efficientmixnet.modules.data.batches import Reading, evaluation_input
from efficientmixnet.modules.data.records import is_deep
from efficientmixnet.pipeline.runs.results import Results

COMMAND = Path(sys.executable).with_name("efficientmixnet")
IMAGE_SIZE = 24
TOLERANCE = 1e-4  # probability, as in the component ServingCheck
FEATURES = ("format", "orientation", "depth")
SETTINGS: dict[str, dict[str, Any]] = {
    "data": {"near_duplicates": False, "max_left_out": 0},
    "network": {
        "variant": "custom",
        "blocks": ["r1_k3_s11_e1_i16_o16_se0.25", "r1_k3.5_s22_e4_i16_o32_se0.25", "r1_k3.5_s22_e4_i32_o64_se0.25"],
        "stem_filters": 16,
        "head_filters": 128,
        "image_size": IMAGE_SIZE,
        "drop_connect": 0.0,
        "norm": "bn",
    },
    "training": {"batch_size": 32, "learning_rate": 0.004, "augmentation": {"crop_scale": [0.8, 1.0], "flip": False}},
    "evaluation": {"slices": [*FEATURES, list(FEATURES)], "thresholds": {"accuracy": 0.0}},
}

Found = dict[str, np.ndarray]  # by the path of an image, the probabilities [classes]
Values = frozenset[tuple[str, str]]  # features and their values


def command(*arguments: object) -> str:
    """Runs efficientmixnet, and returns what it prints."""
    return subprocess.run([COMMAND, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def train(data: Path, output: Path, epochs: int) -> tf.Module:
    """Runs the pipeline, and returns the pushed model."""
    settings = {**SETTINGS, "output": str(output), "training": {**SETTINGS["training"], "epochs": epochs}}
    settings["data"] = {**SETTINGS["data"], "images": str(data), "manifest": str(data / MANIFEST)}
    file = output.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(settings))
    subprocess.run([COMMAND, "run", file], check=True)  # noqa: S603
    return tf.saved_model.load(json.loads((output / "summary.json").read_text())["pushed_model"])


def in_training(output: Path, model: tf.Module) -> Found:
    """Reads the records of Transform as training does."""
    files = sorted(map(str, output.glob("artifacts/Transform/transformed_examples/*/Split-eval/*.gz")))
    records = [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]
    reading = Reading(IMAGE_SIZE, crop_fraction=1.0, classes=0, batch_size=0, deep=is_deep(tf.constant(records[0])))
    found = {}
    for record in records:
        values = tf.train.Example.FromString(record).features.feature
        image = evaluation_input(tf.constant(values[features.ENCODED].bytes_list.value[0]), reading)
        (name,) = values[features.FILENAME].bytes_list.value
        found[name.decode()] = model.classify_inputs(image[tf.newaxis]).numpy()[0]
    return found


def by_predict(output: Path, data: Path, rows: Sequence[Row], labels: Sequence[str]) -> Found:
    """Classifies the files with the command predict."""
    lines = command("predict", output, "--top-k", len(labels), "--json", *(data / row.path for row in rows))
    found = {}
    for line in map(json.loads, lines.splitlines()):
        probabilities = {one["label"]: one["probability"] for one in line["predictions"]}
        found[str(Path(line["image"]).relative_to(data))] = np.array([probabilities[label] for label in labels])
    return found


def by_score(output: Path, data: Path, rows: Sequence[Row]) -> Found:
    """Classifies the files with the command score."""
    manifest, scored = output / "eval.csv", output / "scored.parquet"
    write_manifest(manifest, rows)
    command("score", output, data, "--manifest", manifest, "--output", scored)
    table = pq.read_table(scored)
    return dict(zip(table["file"].to_pylist(), map(np.array, table["probabilities"].to_pylist()), strict=True))


def by_serving(data: Path, rows: Sequence[Row], model: tf.Module) -> Found:
    """Sends the bytes of the files to the signature."""
    signature, found = model.signatures["serving_default"], {}
    for row in rows:
        encoded = Path(data, row.path).read_bytes()
        if not is_taken(row):
            if not is_refused(signature, encoded):
                sys.exit(f"{row.path}: serving_default takes it; docs/images.md says that it refuses it")
            encoded, _ = canonical(encoded, max_pixels=10_000)
        found[row.path] = signature(tf.constant([encoded]))["probabilities"].numpy()[0]
    return found


def is_taken(row: Row) -> bool:
    """Returns whether serving_default takes the file, as in the table of docs/images.md."""
    return row.format in ("JPEG", "PNG", "NPY") or (row.format, row.depth) == ("BMP", COLOR)


def is_refused(signature: Any, encoded: bytes) -> bool:
    try:
        signature(tf.constant([encoded]))
    except tf.errors.InvalidArgumentError as error:
        return "Convert it to PNG first." in str(error)
    return False


def by_evaluator(output: Path) -> dict[Values, float]:
    """Returns the accuracy of each slice by the features' values."""
    evaluation = Results(output / "metadata.sqlite").uri("ModelEvaluation")
    return {frozenset(one.values): one.metrics["accuracy"] for one in read_slices(str(evaluation))}


def slices(rows: Sequence[Row]) -> Iterator[tuple[Values, list[int]]]:
    """Yields the numbers of the rows with the same value of each feature, of the three together, and of none."""
    for names in (*((name,) for name in FEATURES), FEATURES, ()):
        found: dict[Values, list[int]] = {}
        for number, row in enumerate(rows):
            found.setdefault(frozenset((name, str(getattr(row, name))) for name in names), []).append(number)
        yield from found.items()


def accuracies(
    rows: Sequence[Row], ways: Mapping[str, Found], measured: Mapping[Values, float], labels: Sequence[str]
) -> tuple[Table, bool]:
    """Returns the accuracies by format, orientation and depth, and whether all ways agree in each slice."""
    right = {
        way: np.array([labels[found[row.path].argmax()] == str(row.label) for row in rows])
        for way, found in ways.items()
    }
    table, agree = Table("", "images", *ways, "Evaluator"), True
    for column in table.columns:
        column.no_wrap = True
    for values, numbers in slices(rows):
        found = [float(ours[numbers].mean()) for ours in right.values()] + [measured[values]]
        agree &= max(found) - min(found) < 1e-6
        if len(values) < len(FEATURES):
            name = ", ".join(map(" ".join, values)) or "all"
            table.add_row(name, str(len(numbers)), *(f"{one:.4f}" for one in found))
    return table, agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200, help="images of each format")
    parser.add_argument("--epochs", type=int, default=12, help="epochs to train")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, output = Path(folder, "images"), Path(folder, "runs")
        rows = [row for row in write_images(data, arguments.images) if row.split == "eval"]
        model = train(data, output, arguments.epochs)
        labels = [label.decode() for label in model.class_labels().numpy()]
        ways = {
            "training": in_training(output, model),
            "predict": by_predict(output, data, rows, labels),
            "score": by_score(output, data, rows),
            "serving_default": by_serving(data, rows, model),
        }
        table, agree = accuracies(rows, ways, by_evaluator(output), labels)
    Console(width=100).print(table)
    every = np.stack([[found[row.path] for row in rows] for found in ways.values()])  # [ways, images, classes]
    differing = [row for row, classes in zip(rows, every.argmax(axis=-1).T, strict=True) if len(set(classes)) > 1]
    furthest = np.abs(every - every[0]).max(axis=(0, 2))
    worst = rows[int(furthest.argmax())]
    print(f"largest difference of a probability: {furthest.max():.1e}, {worst}")
    if differing:
        sys.exit(f"other classes for {differing}")
    if not agree:
        sys.exit("the Evaluator measured another accuracy")
    if not furthest.max() <= TOLERANCE:
        sys.exit(f"a probability differs by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
