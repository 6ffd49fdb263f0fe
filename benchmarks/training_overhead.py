"""Compares our `fit` with a bare Keras fit of the same network and data, and measures the cost of checkpoints.

Ours adds checkpoints, TensorBoard images, progress and signal handling. Both train for a warm-up epoch and then take
turns. Processor time is compared, because other programs disturb it less than elapsed time, and the best of many short
rounds counts. For checkpoints, the script measures the elapsed time that training waits for them and the processor time
of the thread that writes them, as fractions of the elapsed time of all rounds.

    python benchmarks/training_overhead.py [--variant B0] [--size 64] [--images 2000] [--epochs 2] [--rounds 8]
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from rich.console import Console
from rich.table import Table
from transformed_record import transformed_record

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.checkpoint.checkpoint_folder import CheckpointFolder, State
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data.batches import Reading, evaluation_batches, training_batches
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.distribution import choose_distribution
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.fit import fit
from efficientmixnet.modules.training.phases import phases

CLASSES = 10


class TimedFolder(CheckpointFolder):
    """Adds up the processor time that writing checkpoints takes."""

    seconds = 0.0

    def write(self, *states: State, best_epoch: int | None = None) -> None:
        began = time.thread_time()
        super().write(*states, best_epoch=best_epoch)
        TimedFolder.seconds += time.thread_time() - began


class TimedCheckpoint(Checkpoint):
    """Adds up the time that training waits for checkpoints."""

    seconds = 0.0

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.folder = TimedFolder(Path(folder))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        began = time.perf_counter()
        super().on_epoch_end(epoch, logs)
        TimedCheckpoint.seconds += time.perf_counter() - began

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        began = time.perf_counter()
        super().on_train_end(logs)
        TimedCheckpoint.seconds += time.perf_counter() - began


class Bar:
    """A progress listener, as in a run."""

    def start(self, total: int, unit: str) -> None:
        pass

    def advance(self, count: int, figures: str) -> None:
        pass


def write_records(folder: Path, images: int, size: int) -> TrainingData:
    """Writes records of random JPEG images, an eighth of them for evaluation."""
    draw = np.random.default_rng(0)
    for split, count in (("train", images), ("eval", images // 8)):
        with tf.io.TFRecordWriter(f"{folder}/{split}.gz", "GZIP") as writer:
            for number in range(count):
                file = io.BytesIO()
                Image.fromarray(draw.integers(0, 256, (size, size, 3), np.uint8)).save(file, "JPEG")
                writer.write(transformed_record(file.getvalue(), number % CLASSES))
    train, evaluation = Records.find([f"{folder}/train.gz"]), Records.find([f"{folder}/eval.gz"])
    return TrainingData(train, evaluation, Reading(size, 1.0, CLASSES, 32), [str(one) for one in range(CLASSES)])


def bare(config: ModelConfig, data: TrainingData) -> Callable[[int], None]:
    """Compiles and fits with Keras only, on the same batches."""
    model = _network(config, data)
    model.compile(keras.optimizers.RMSprop(1e-3, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])

    def train(epochs: int) -> None:
        batches = training_batches(data.train, data.reading, config.training.augmentation, 0, range(epochs))
        evaluated = evaluation_batches(data.evaluation, data.reading)
        steps = data.steps_per_epoch
        model.fit(batches, validation_data=evaluated, epochs=epochs, steps_per_epoch=steps, verbose=0)

    return train


def ours(config: ModelConfig, data: TrainingData, folder: Path) -> Callable[[int], None]:
    """Trains as run_fn does, from the start each time."""
    model, distribution, times = _network(config, data), choose_distribution("none"), 0
    compile_model(model, config.training, phases(config, 1e-3)[0], data.steps_per_epoch)

    def train(epochs: int) -> None:
        nonlocal times
        times += 1
        place = str(folder / f"checkpoints-{times}")
        fit(model, data, config.training, distribution, TimedCheckpoint(place), range(epochs), f"{place}-logs")

    return train


def _network(config: ModelConfig, data: TrainingData) -> keras.Model:
    keras.utils.set_random_seed(0)
    size, steps = data.reading.image_size, data.steps_per_epoch
    return build_model(config.network, size, CLASSES, steps, [0.5] * 3, [0.25] * 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="B0")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=2, help="epochs per round")
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    optimizer = {"name": "rmsprop", "momentum": 0.9}
    config = ModelConfig.model_validate(
        {"network": {"variant": arguments.variant}, "training": {"optimizer": optimizer, "epochs": 1000}}
    )
    progress.listen(Bar())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_records(folder, arguments.images, arguments.size)
        trainings = {"bare Keras fit": bare(config, data), "ours": ours(config, data, folder)}
        for train in trainings.values():
            train(1)
        TimedFolder.seconds = TimedCheckpoint.seconds = passed = 0.0
        seconds: dict[str, list[float]] = {one: [] for one in trainings}
        for _ in range(arguments.rounds):
            for one, train in trainings.items():
                began, began_here = time.perf_counter(), time.process_time()
                train(arguments.epochs)
                seconds[one].append(time.process_time() - began_here)
                passed += time.perf_counter() - began if one == "ours" else 0
    theirs = seconds["bare Keras fit"]
    table = Table("", "seconds of processor", "against bare", title=f"{arguments.variant} at {arguments.size} pixels")
    for one, times in seconds.items():
        table.add_row(one, f"{min(times):.2f}", f"{min(times) / min(theirs):.3f}")
    Console().print(table)
    waiting, writing = TimedCheckpoint.seconds / passed, TimedFolder.seconds / passed
    print(f"checkpoints: the training waits for {waiting:.1%} of the time; the processor writes for {writing:.1%}")


if __name__ == "__main__":
    main()
