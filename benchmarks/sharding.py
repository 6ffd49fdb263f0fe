"""Counts the bytes that each worker reads in an epoch, for 1, 2, 4 and 8 workers.

    python benchmarks/sharding.py [--images 2000] [--bytes 20000] [--workers 1 2 4 8]

The records are noise in as many files as Transform writes. `records` is `training.sharding: records`, where every
worker reads all records. `files` is `training.sharding: files`. The bytes are those that the process asks the system
for (rchar in /proc/self/io), whether they are on the disk or in the system's cache.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table
from transformed_record import transformed_record

from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data.batches import Reading, training_batches
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.data.shares import SHARDS

SIDE = 8


def write_records(folder: Path, count: int, size: int) -> Records:
    """Writes small images, each followed by noise, as large as encoded photographs."""
    draw = np.random.default_rng(0)
    files = [RecordFile(f"{folder}/{shard:05d}.gz") for shard in range(SHARDS)]
    image = tf.io.encode_png(np.zeros((SIDE, SIDE, 3), "uint8")).numpy()
    for number in range(count):
        files[number % SHARDS].write(transformed_record(image, 0, noise=draw.bytes(size)))
    for file in files:
        file.close()
    return Records.find([f"{folder}/*.gz"])


def bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def of_workers(records: Records, reading: Reading) -> Iterator[tuple[int, int]]:
    """Yields the bytes and the batches of each worker in one epoch."""
    for worker in range(reading.workers):
        batches = training_batches(
            records, replace(reading, worker=worker), AugmentationConfig(crop_scale=None), 0, range(1)
        )
        before = bytes_read()
        count = sum(1 for _ in batches)
        yield bytes_read() - before, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=20_000, help="of each record")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    arguments = parser.parse_args()
    table = Table(
        "workers", "sharding", "MB of each worker", "MB of all workers", "/ the data", "batches of each worker"
    )
    with tempfile.TemporaryDirectory() as name:
        records = write_records(Path(name), arguments.images, arguments.bytes)
        data = sum(Path(file).stat().st_size for file in records.files)
        for workers in arguments.workers:
            for sharding in ("records", "files"):
                own = sharding == "files"
                reading = Reading(SIDE, 1.0, 1, batch_size=40, workers=workers, own_files=own)
                sizes, batches = zip(*of_workers(records, reading), strict=True)
                table.add_row(
                    str(workers),
                    sharding,
                    f"{min(sizes) / 1e6:.1f} to {max(sizes) / 1e6:.1f}",
                    f"{sum(sizes) / 1e6:.1f}",
                    f"{sum(sizes) / data:.2f}",
                    ", ".join(map(str, sorted(set(batches)))),
                )
    Console().print(f"{len(records.files)} files, {data / 1e6:.1f} MB", table)


if __name__ == "__main__":
    main()
