"""Measures the data path: bytes, images per second and memory of ingest, statistics and Transform.

Photographs are repeated under new names. Each measurement has its own process and runs at several sizes. The
differences between sizes give images per second without the fixed cost of each component, and show whether time and
memory grow linearly. `efficientmixnet plan` predicts the largest size from the two smallest ones. For comparison, on
the same files:

plain       records of the files, then a Transform that writes float images (tf.map_fn), with all of TFX's statistics
            on, as in TFX's tutorials
bare loop   two processes that read, decode, resize and encode the same files with TensorFlow; and the same loop with
            our function, which resizes faster (resizing.py)

    python benchmarks/data_path.py                                    500 and 2,000 crops of scikit-learn's photographs
    python benchmarks/data_path.py --photographs FOLDER [--sizes 500 2000 20000] [--side 224] [--rates FILE]
    python benchmarks/data_path.py --pixels 64 --sizes 1000 5000 50000 --no-plain --no-loop     growth, small images
    python benchmarks/data_path.py --photographs FOLDER --sizes 20000 --until StatisticsGen     only StatisticsGen
    python benchmarks/data_path.py --photographs FOLDER --workers 2     with as many processes as for 4 GB of images

--rates writes the rates that `efficientmixnet plan` uses.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from bare_loop import bare_loop
from data_pipelines import measure, ours, plain
from photographs import bytes_of, photographs, repeat
from rich.console import Console
from rich.table import Table

from efficientmixnet.pipeline.commands.capacity import Plan, Rates

COMPONENTS = ("ImageExampleGen", "StatisticsGen", "Transform")


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls the function in a new process and returns its result."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(function, arguments)


class Runs:
    """One candidate at all sizes."""

    def __init__(self, make: Callable[..., list[Any]], folders: dict[int, Path], side: int, until: str) -> None:
        self.by_size: dict[int, dict[str, Any]] = {}
        self.sizes = list(folders)
        for size, folder in folders.items():
            self.by_size[size] = alone(measure, make, folder, side, until)
            took = {stage: round(one["seconds"], 1) for stage, one in self.by_size[size]["stages"].items()}
            name = "plain" if make is plain else "ours"
            print(f"{name}, {size:,} images, seconds: {took}", flush=True)

    def total(self, what: str, stage: str, size: int) -> float:
        """Returns `what` of the stage at this size."""
        return self.by_size[size]["stages"][stage][what]

    def each(self, what: str, stage: str) -> list[float]:
        """`what` of the stage for each further image, from size to size.

        With one size alone, or where more images took no longer, it is what each one took at most, start-up included.
        """
        if len(self.sizes) == 1:
            return [self.total(what, stage, self.sizes[0]) / self.sizes[0]]
        totals = {size: self.total(what, stage, size) for size in self.sizes}
        return [
            (totals[large] - totals[small]) / (large - small)
            if totals[large] > totals[small]
            else totals[large] / large
            for small, large in pairwise(self.sizes)
        ]

    def bytes(self, kind: str) -> int:
        """Returns the bytes written at the largest size."""
        return self.by_size[self.sizes[-1]]["bytes"][kind]

    def rates(self, files: dict[int, int]) -> dict[str, Any]:
        """Returns the rates for `efficientmixnet plan`, from the two smallest sizes and the bytes of the files."""
        small, large = self.sizes[:2]
        stages = {}
        for stage in COMPONENTS:
            seconds = self.each("seconds", stage)[0]
            fixed = max(self.total("seconds", stage, small) - small * seconds, 0.0)
            peak = int(self.total("peak", stage, large))
            stages[stage] = {"fixed_seconds": round(fixed, 1), "images_a_second": round(1 / seconds, 1)}
            stages[stage]["peak_memory"] = peak
        written = self.by_size[large]["bytes"]
        return {
            "cores": os.cpu_count(),
            "mean_bytes": round(files[large] / large),
            "ingested_bytes": round(written["ingested"] / files[large], 3),
            "transformed_mean_bytes": round(written["transformed"] / large),
            "stages": stages,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, help="a folder of JPEG files")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[500, 2000], help="numbers of images, in ascending order"
    )
    parser.add_argument("--pixels", type=int, help="first resize the shorter side of the photographs to this")
    parser.add_argument("--side", type=int, default=224, help="side of the network's input, pixels")
    parser.add_argument("--until", choices=COMPONENTS[1:], default="Transform", help="the last component to run")
    parser.add_argument("--workers", type=int, help="beam.workers, the processes of Transform")
    parser.add_argument("--rates", type=Path, help="write the rates to this file")
    parser.add_argument("--no-plain", action="store_true", help="skip the plain pipeline, which takes longest")
    parser.add_argument("--no-loop", action="store_true", help="skip the bare loop")
    arguments = parser.parse_args()
    if arguments.rates and (len(arguments.sizes) < 2 or arguments.until != "Transform"):
        parser.error("--rates: they come from two sizes or more, and from all components")
    sizes, stages = arguments.sizes, COMPONENTS[: COMPONENTS.index(arguments.until) + 1]
    with tempfile.TemporaryDirectory() as name:
        source = photographs(Path(name, "photographs"), arguments.pixels, arguments.photographs)
        folders = {size: Path(name, str(size)) for size in sizes}
        for size, folder in folders.items():
            repeat(source, folder, size)
        files = {size: bytes_of(folder) for size, folder in folders.items()}
        our = Runs(partial(ours, workers=arguments.workers), folders, arguments.side, arguments.until)
        largest = folders[sizes[-1]]
        loops = {
            name: bare_loop(largest, arguments.side, is_ours)
            for name, is_ours in (("bare loop", False), ("bare loop of our function", True))
            if not arguments.no_loop
        }
        other = None if arguments.no_plain else Runs(plain, folders, arguments.side, arguments.until)

    console = Console()
    console.print(f"{sizes[-1]:,} photographs, {files[sizes[-1]] / 1e6:,.0f} MB, at {arguments.side} pixels")
    found: dict[str, Any] = {"sizes": sizes, "files": files, "loops": loops, "ours": our.by_size}
    found["plain"] = other and other.by_size
    table = Table("", "ours", "plain", "ours / plain")
    both = [runs for runs in (our, other) if runs]
    for stage in stages:
        rates = [1 / runs.each("seconds", stage)[-1] for runs in both]
        table.add_row(f"{stage}, images a second", *(f"{one:.0f}" for one in rates), *_ratio(rates))
        # On a busy machine, processor time is more meaningful than elapsed time.
        spent = [1000 * runs.each("cpu", stage)[-1] for runs in both]
        table.add_row(f"{stage}, CPU milliseconds an image", *(f"{one:.2f}" for one in spent), *_ratio(spent))
        for what, unit in (("seconds", "seconds"), ("cpu", "CPU seconds")):
            whole = [runs.total(what, stage, sizes[-1]) for runs in both]
            table.add_row(f"{stage}, {unit} in all", *(f"{one:.1f}" for one in whole), *_ratio(whole))
    for kind in ("ingested", "transformed")[: len(stages) - 1]:
        shares = [runs.bytes(kind) / files[sizes[-1]] for runs in both]
        table.add_row(f"bytes {kind} / of the files", *(f"{one:.2f}" for one in shares), *_ratio(shares))
    if arguments.until == "Transform":
        shares = [runs.bytes("transformed") / runs.bytes("ingested") for runs in both]
        table.add_row("bytes transformed / ingested", *(f"{one:.2f}" for one in shares), *_ratio(shares))
    for stage in stages if len(sizes) > 1 else ():
        growth = our.total("peak", stage, sizes[-1]) / our.total("peak", stage, sizes[0])
        table.add_row(f"{stage}, peak memory, {sizes[-1] / sizes[0]:g} x the images", f"{growth:.2f} x")
        each = our.each("cpu", stage)
        if len(each) > 1:
            table.add_row(f"{stage}, CPU an image, last step / first", f"{each[-1] / each[0]:.2f} x")
    for name, (rate, spent) in loops.items() if arguments.until == "Transform" else ():
        seconds, cpu = (sum(our.each(what, one)[-1] for one in (stages[0], stages[2])) for what in ("seconds", "cpu"))
        table.add_row(f"images a second of ingest and Transform / {name}", f"{1 / seconds / rate:.2f}")
        table.add_row(f"CPU milliseconds, {name} / ingest and Transform", f"{spent / 1000 / cpu:.2f}")
    if len(sizes) > 1 and arguments.until == "Transform":
        rates = our.rates(files)
        if arguments.rates:
            arguments.rates.write_text(json.dumps(rates, indent=2) + "\n")
        if len(sizes) > 2:
            planned = Plan(sizes[-1], files[sizes[-1]] / sizes[-1], Rates.model_validate(rates), 1.0, 1, 1.0)
            measured = sum(our.total("seconds", stage, sizes[-1]) for stage in stages)
            title = f"predicted from {sizes[0]:,} and {sizes[1]:,} / measured, seconds"
            table.add_row(title, f"{planned.data_seconds(1) / measured:.2f}")
    console.print(table)
    console.print_json(json.dumps(found))


def _ratio(values: list[float]) -> list[str]:
    return [f"{values[0] / values[1]:.2f}"] if len(values) == 2 else ["", ""]


if __name__ == "__main__":
    main()
