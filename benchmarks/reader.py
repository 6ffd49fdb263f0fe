"""Measures how many images a core reads, and how many cores an accelerator needs.

    python benchmarks/reader.py [--photographs FOLDER] [--images 1000] [--side 224] [--rate 3000]

Images are augmented by the CPU or on the device (`training.augment_on`), and decoded in every epoch or kept in memory
(`training.cache`). The figures are images per second of processor time, so that other processes on the machine matter
little. For the device, the reader's work is measured, and not the device's. --rate is the images per second that the
accelerator trains. An H100 trains some thousands a second with B0 at 224 pixels.
"""

import argparse
import itertools
import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from photographs import photographs
from reading import pace, write_records
from rich.console import Console
from rich.table import Table

from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data.batches import Reading, training_batches
from efficientmixnet.modules.data.records import Records

CLASSES, BATCH_SIZE, ROUNDS = 10, 32, 3

AUGMENTATIONS = {
    "crop and flip": AugmentationConfig(),
    "and RandAugment": AugmentationConfig(randaugment_layers=2),
    "and erasing, mixup, CutMix": AugmentationConfig(
        randaugment_layers=2, erasing_probability=0.25, mixup_alpha=0.2, cutmix_alpha=1.0
    ),
}


def images_a_core(records: Records, side: int, augmentation: AugmentationConfig, on_cpu: bool, cached: bool) -> float:
    """Returns the images per second of processor time, after an epoch that fills the buffers and the memory."""
    reading = Reading(side, 0.875, CLASSES, BATCH_SIZE, augments=on_cpu)
    batches = training_batches(replace(records, cached=cached), reading, augmentation, 0, range(2))
    return pace(batches, BATCH_SIZE, skip=records.count // BATCH_SIZE)[1]


def measure(records: Records, side: int) -> dict[tuple[str, bool, bool], float]:
    """Returns the median of interleaved rounds by augmentation, whether the CPU augments, and whether images stay."""
    ways = list(itertools.product(AUGMENTATIONS, (True, False), (False, True)))
    rounds: dict[tuple[str, bool, bool], list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for name, on_cpu, cached in ways:
            found = images_a_core(records, side, AUGMENTATIONS[name], on_cpu, cached)
            rounds[name, on_cpu, cached].append(found)
    return {way: median(found) for way, found in rounds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, help="a folder of JPEG files (default: crops of scikit-learn's)")
    parser.add_argument("--images", type=int, default=1000, help="number of records")
    parser.add_argument("--side", type=int, default=224, help="side of the network's input, pixels")
    parser.add_argument("--rate", type=float, default=3000, help="images a second that the accelerator trains")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "records").mkdir()
        source = photographs(Path(name, "photographs"), None, arguments.photographs)
        records, _ = write_records(source, Path(name) / "records", arguments.images, arguments.side)
        found = measure(records, arguments.side)

    cores = f"cores for {arguments.rate:,.0f} a second"
    table = Table("augmentation", "augmented by", "decoded", "images a second and core", cores)
    for (name, on_cpu, cached), rate in found.items():
        decoded = "in the first epoch" if cached else "in every epoch"
        place = "the CPU" if on_cpu else "the device"
        table.add_row(name, place, decoded, f"{rate:.0f}", f"{math.ceil(arguments.rate / rate)}")
    console = Console()
    console.print(table)
    console.print_json(json.dumps([[*way, rate] for way, rate in found.items()]))


if __name__ == "__main__":
    main()
