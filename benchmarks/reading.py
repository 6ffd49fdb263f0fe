"""Measures whether training waits for data.

reader      training batches (modules/data/batches.py) from transformed records on disk: shuffled, decoded, cropped,
            flipped and batched; and the same with decoded images kept in memory
bare loop   tf.io.decode_jpeg and tf.image.resize of the same encoded images from memory, with the same threads
step        a training step of EfficientNet-B0 fed from disk, and one that always gets the same batch

    python benchmarks/reading.py [--photographs FOLDER] [--images 1000] [--side 224] [--batch-size 8] [--steps 8]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import tensorflow as tf
from photographs import photographs
from rich.console import Console
from rich.table import Table
from transformed_record import transformed_record

from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.batches import Reading, training_batches
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.phases import phases

CLASSES = 10
FILES = 4
ROUNDS = 3


def write_records(source: Path, folder: Path, count: int, side: int) -> tuple[Records, list[bytes]]:
    """Writes the photographs as Transform does, repeated. Returns the records and the encoded images."""
    files = sorted(file for file in source.rglob("*") if file.is_file())
    encoded = [images.shrink(tf.constant(file.read_bytes()), round(side / 0.875)).numpy() for file in files]
    every = [encoded[number % len(encoded)] for number in range(count)]
    for shard in range(FILES):
        with RecordFile(f"{folder}/{shard}.gz") as writer:
            for number in range(shard, count, FILES):
                writer.write(transformed_record(every[number], number % CLASSES))
    return Records.find([f"{folder}/*.gz"]), every


def bare(encoded: list[bytes], side: int, batch_size: int) -> tf.data.Dataset:
    """Decodes and resizes, and does nothing else."""

    def decoded(one: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(tf.io.decode_jpeg(one, channels=3), [side, side])

    batches = tf.data.Dataset.from_tensor_slices(encoded).map(decoded, num_parallel_calls=tf.data.AUTOTUNE)
    return batches.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def pace(batches: tf.data.Dataset, batch_size: int, skip: int) -> tuple[float, float]:
    """Returns images per second of elapsed and of processor time, after the first batches."""
    iterator = iter(batches)
    for _ in range(skip):
        next(iterator)
    began, cpu = time.monotonic(), time.process_time()
    count = sum(batch_size for _ in iterator)
    return count / (time.monotonic() - began), count / (time.process_time() - cpu)


def reader_paces(records: Records, encoded: list[bytes], side: int) -> dict[str, tuple[float, float]]:
    """Returns the median of several interleaved rounds for each candidate."""
    batch_size, epochs = 32, range(3)
    reading = Reading(side, 0.875, CLASSES, batch_size)
    steps = records.count // batch_size  # the first epoch fills buffers and memory

    def read(cached: bool) -> tf.data.Dataset:
        return training_batches(replace(records, cached=cached), reading, AugmentationConfig(), 0, epochs)

    ways: dict[str, Callable[[], tf.data.Dataset]] = {
        "bare loop": lambda: bare(encoded, side, batch_size).repeat(len(epochs)),
        "reader": lambda: read(cached=False),
        "reader, in memory": lambda: read(cached=True),
    }
    rounds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, make in ways.items():
            rounds[way].append(pace(make(), batch_size, skip=steps))
    return {
        way: (median(clock for clock, _ in found), median(cpu for _, cpu in found)) for way, found in rounds.items()
    }


def step_seconds(records: Records, side: int, batch_size: int, steps: int) -> dict[str, tuple[float, float]]:
    """Returns the seconds and processor seconds of a training step for each way to feed it."""
    config = ModelConfig.model_validate({"network": {"image_size": side}, "training": {"batch_size": batch_size}})
    reading = Reading(side, 0.875, CLASSES, batch_size)
    batches = iter(training_batches(records, reading, config.training.augmentation, 0, range(10**6)))
    model = build_model(config.network, side, CLASSES, 100, [0.5] * 3, [0.25] * 3)
    compile_model(model, config.training, phases(config, config.training.learning_rate)[0], 100)
    constant = next(batches)
    for _ in range(2):
        model.train_on_batch(*constant)
    found: dict[str, list[tuple[float, float]]] = {"from disk": [], "constant": []}
    for _ in range(ROUNDS):
        for way, blocks in found.items():
            began, cpu = time.monotonic(), time.process_time()
            for _ in range(steps):
                model.train_on_batch(*(next(batches) if way == "from disk" else constant))
            blocks.append(((time.monotonic() - began) / steps, (time.process_time() - cpu) / steps))
    return {way: (median(one for one, _ in blocks), median(one for _, one in blocks)) for way, blocks in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, help="a folder of JPEG files (default: crops of scikit-learn's)")
    parser.add_argument("--images", type=int, default=1000, help="number of records")
    parser.add_argument("--side", type=int, default=224, help="side of the network's input, pixels")
    parser.add_argument("--batch-size", type=int, default=8, help="batch size of the step")
    parser.add_argument("--steps", type=int, default=8, help="steps in a row")
    parser.add_argument("--no-step", action="store_true", help="skip the training step, which takes longest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "records").mkdir()
        source = photographs(Path(name, "photographs"), None, arguments.photographs)
        records, encoded = write_records(source, Path(name) / "records", arguments.images, arguments.side)
        paces = reader_paces(records, encoded, arguments.side)
        steps = (
            {} if arguments.no_step else step_seconds(records, arguments.side, arguments.batch_size, arguments.steps)
        )

    console = Console()
    table = Table("images a second", "by the clock", "/ bare loop", "by CPU time", "/ bare loop")
    for way, (clock, cpu) in paces.items():
        of_bare = paces["bare loop"]
        table.add_row(way, f"{clock:.0f}", f"{clock / of_bare[0]:.2f}", f"{cpu:.0f}", f"{cpu / of_bare[1]:.2f}")
    console.print(table)
    if steps:
        table = Table("B0 step", "seconds", "/ constant batch", "CPU seconds", "/ constant batch")
        for way, (clock, cpu) in steps.items():
            of_constant = steps["constant"]
            ratios = f"{clock / of_constant[0]:.3f}", f"{cpu / of_constant[1]:.3f}"
            table.add_row(way, f"{clock:.3f}", ratios[0], f"{cpu:.3f}", ratios[1])
        console.print(table)
    console.print_json(json.dumps({"reader": paces, "step": steps}))


if __name__ == "__main__":
    main()
