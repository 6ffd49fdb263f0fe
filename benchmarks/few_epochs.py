"""Trains one of the small networks of a budget for a few epochs of CIFAR-10, to compare values of the configuration.

    python benchmarks/few_epochs.py --data cifar10-train.tar.xz
        [--network small] [--epochs 4] [--seed 0] [--set training.augmentation.crop_scale=[0.5,1.0] ...]

The keys that are not given have the values that `training.budget` sets. A tenth of the images is for validation, and a
tenth is not used. The script prints the validation accuracy after each epoch and the processor time.
"""

import argparse
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from cifar_images import SIDE, Images, read_images, split
from PIL import Image
from transformed_record import transformed_record

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.section import merge
from efficientmixnet.modules.network.ladder import small_network
from efficientmixnet.modules.training.regularization import regularized
from efficientmixnet.modules.training.training_job import TrainingJob, train

BUDGET = "1h"  # any: its values count, and not its time


def configuration(network: str, epochs: int, seed: int, given: list[str]) -> ModelConfig:
    """Returns what a budget would set, with these epochs."""
    values: dict[str, Any] = {"network": {**small_network(network, stem_stride=1), "image_size": SIDE}}
    values["training"] = {"budget": BUDGET, "seed": seed}
    for one in given:
        name, _, value = one.partition("=")
        section, *keys = name.split(".")
        nested = json.loads(value)
        for key in reversed(keys):
            nested = {key: nested}
        values = merge(values, {section: nested})
    chosen = ModelConfig.model_validate(values).model_dump(mode="json")
    chosen["training"] |= {"budget": None, "epochs": epochs}
    chosen["training"]["schedule"]["warmup_epochs"] = epochs / 10
    return regularized(ModelConfig.model_validate(chosen), epochs)


def write(file: Path, images: Images) -> None:
    """Writes records as Transform does."""
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for pixels, label in zip(images.images, images.classes, strict=True):
            png = io.BytesIO()
            Image.fromarray(pixels).save(png, "PNG", compress_level=1)
            writer.write(transformed_record(png.getvalue(), int(label)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="cifar10-train.tar.xz, or its extracted folder")
    parser.add_argument("--network", default="small")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", metavar="KEY=JSON", nargs="*", action="extend", default=[], dest="given")
    arguments = parser.parse_args()
    config = configuration(arguments.network, arguments.epochs, arguments.seed, arguments.given)
    images, classes = read_images(arguments.data)
    train_images, validation, _ = split(images, classes)
    # Ingest mixes the classes too. The training shuffles only a part of the images at a time.
    train_images = train_images[np.random.default_rng(0).permutation(len(train_images.classes))]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "train.gz"), train_images)
        write(Path(folder, "eval.gz"), validation)
        job = TrainingJob(
            config=config,
            labels=tuple(str(one) for one in range(10)),
            train_files=(f"{folder}/train.gz",),
            eval_files=(f"{folder}/eval.gz",),
            checkpoints=f"{folder}/checkpoints",
        )
        start = time.process_time()
        history = train(job).checkpoint.history
    accuracies = [round(logs["val_accuracy"], 4) for logs in history]
    print(f"{arguments.given}: {accuracies}, {time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
