"""Compares training on two logical devices with training on one, on the cores of this machine.

This measures the overhead of mirrored training: both devices share the same cores, so there is nothing to gain. On
GPUs it measures the speedup. The two runs take turns after a warm-up epoch. The result is the median of the ratios.

    python benchmarks/devices.py [--variant B0] [--size 64] [--images 512] [--epochs 2] [--rounds 3]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import keras
import tensorflow as tf
from rich.console import Console
from rich.table import Table
from training_overhead import CLASSES, Bar, write_records

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.distribution import choose_distribution
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.fit import fit
from efficientmixnet.modules.training.phases import phases


def trained(kind: str, config: ModelConfig, data: TrainingData, folder: Path) -> Callable[[int], None]:
    """Trains as run_fn does with `training.distribution: kind`."""
    distribution, times = choose_distribution(kind), 0
    data = replace(data, reading=replace(data.reading, devices=distribution.replicas))
    keras.utils.set_random_seed(0)
    with distribution.scope():
        size, steps = data.reading.image_size, data.steps_per_epoch
        synchronized = distribution.replicas > 1
        network = build_model(config.network, size, CLASSES, steps, [0.5] * 3, [0.25] * 3, synchronized)
        model = distribution.model(network)
        compile_model(model, config.training, phases(config, 1e-3)[0], steps)

    def train(epochs: int) -> None:
        nonlocal times
        times += 1
        place = str(folder / f"{kind}-{times}")
        with distribution.scope():
            fit(model, data, config.training, distribution, Checkpoint(place), range(epochs), f"{place}-logs")

    return train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="B0")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=2, help="epochs per round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if not tf.config.list_physical_devices("GPU"):
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    config = ModelConfig.model_validate({"network": {"variant": arguments.variant}, "training": {"epochs": 1000}})
    progress.listen(Bar())
    with tempfile.TemporaryDirectory() as name:
        data = write_records(Path(name), arguments.images, arguments.size)
        trainings = {kind: trained(kind, config, data, Path(name)) for kind in ("none", "mirrored")}
        for train in trainings.values():
            train(1)
        seconds: dict[str, list[float]] = {kind: [] for kind in trainings}
        for _ in range(arguments.rounds):
            for kind, train in trainings.items():
                began = time.perf_counter()
                train(arguments.epochs)
                seconds[kind].append(time.perf_counter() - began)
    table = Table("training.distribution", "images a second", "against none", title=f"{arguments.variant}")
    for kind, times in seconds.items():
        rate = arguments.images * arguments.epochs / median(times)
        ratio = median(alone / time for alone, time in zip(seconds["none"], times, strict=True))
        table.add_row(kind, f"{rate:.1f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
