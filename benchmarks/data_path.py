"""The data path alone: bytes, pictures a second and memory of ingest, statistics and Transform, beside other ways.

Photographs are repeated under new names. Each measurement has a process of its own and runs at two sizes: the
difference gives pictures a second without the seconds that every component costs however small the data, and shows
whether memory grows. Beside it, on the same files:

plain       records of the files as they are, then a Transform that writes float pictures (tf.map_fn), all of TFX's
            statistics on, as TFX's tutorials lead to
bare loop   two processes that read, decode, resize and encode the same files with the same library, and no more

    python benchmarks/data_path.py --photographs FOLDER [--pictures 2000] [--size 224] [--rates FILE]

With --rates it writes what `efficientmixnet plan` reckons with.
"""

import argparse
import json
import logging
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import absl.logging
import tensorflow as tf
from rich.console import Console
from rich.table import Table
from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.component import ImageExampleGen
from efficientmixnet.components.image_example_gen.sources import find_pictures
from efficientmixnet.components.schema_gen import SchemaGen
from efficientmixnet.components.statistics_gen import statistics_gen
from efficientmixnet.components.transform import transform
from efficientmixnet.modules import pictures
from efficientmixnet.pipeline.config import DataConfig
from efficientmixnet.pipeline.pipeline import BEAM_ARGS

SPLITS = {"train": 0.9, "eval": 0.1}
CLASSES = 10
COMPONENTS = ("ImageExampleGen", "StatisticsGen", "Transform")
Stages = dict[str, dict[str, float]]  # by component: seconds, and peak, bytes of memory


class Meter(logging.Handler):
    """Seconds and peak memory by component, read off LocalDagRunner's log and Linux's /proc."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.stages: Stages = {}

    def emit(self, record: logging.LogRecord) -> None:
        found = re.match(r"Component (\S+) is (running|finished)\.", record.getMessage())
        if not found:
            return
        name = found[1].replace("ImportExampleGen", "ImageExampleGen")
        if found[2] == "running":
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
            self.stages[name] = {"began": time.monotonic(), "cpu began": time.process_time()}
        else:
            status = Path("/proc/self/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
            began = self.stages[name]
            self.stages[name] = {
                "seconds": time.monotonic() - began["began"],
                "cpu": time.process_time() - began["cpu began"],
                "peak": peak,
            }


def ours(folder: Path, data: Path, size: int) -> tfx.dsl.Pipeline:
    """Ingest to Transform, with the defaults."""
    config = DataConfig(pictures=str(data), splits=SPLITS)
    examples = ImageExampleGen(
        pictures=config.pictures,
        manifest="",
        splits=json.dumps(config.splits),
        max_left_out=config.max_left_out,
        max_pixels=config.max_pixels,
        fingerprint="",
    )
    statistics = statistics_gen(examples.outputs["examples"])
    schema = SchemaGen(statistics.outputs["statistics"], ["eval"])
    stored = round(size / 0.875)  # what NetworkConfig.stored_side is at this size
    transformed = transform(examples.outputs["examples"], schema.outputs["schema"], list(SPLITS), stored)
    return _pipeline(folder, [examples, statistics, schema, transformed])


def plain(folder: Path, data: Path, size: int) -> tfx.dsl.Pipeline:
    """The same with TFX's own components."""
    user_module = str(Path(__file__).parent / "plain_pipeline" / "user_module.py")
    examples = tfx.components.ImportExampleGen(input_base=str(folder / "records"))
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    transformed = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        module_file=user_module,
        custom_config={"size": size},
    )
    return _pipeline(folder, [examples, statistics, schema, transformed])


def _pipeline(folder: Path, components: list[Any]) -> tfx.dsl.Pipeline:
    return tfx.dsl.Pipeline(
        pipeline_name="data",
        pipeline_root=str(folder / "artifacts"),
        components=components,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(str(folder / "m")),
        beam_pipeline_args=BEAM_ARGS,
    )


def measure(make: Callable[[Path, Path, int], tfx.dsl.Pipeline], data: Path, size: int) -> dict[str, Any]:
    """Runs the pipeline here; its stages, and bytes by what wrote them."""
    meter, logger = Meter(), absl.logging.get_absl_logger()
    absl.logging.set_verbosity(absl.logging.INFO)
    absl.logging.get_absl_handler().setLevel(logging.ERROR)
    logger.addHandler(meter)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        if make is plain:
            (folder / "records").mkdir()
            _write_records(data, folder / "records" / "pictures.gz")
        making_records = time.monotonic() - began
        tfx.orchestration.LocalDagRunner().run(make(folder, data, size))
        meter.stages["ImageExampleGen"]["seconds"] += making_records if make is plain else 0.0
        written = {
            kind: sum(file.stat().st_size for file in folder.glob(f"artifacts/{pattern}/**/*.gz"))
            for kind, pattern in (("ingested", "*ExampleGen/examples"), ("transformed", "Transform/transformed_exam*"))
        }
    return {"stages": meter.stages, "bytes": written}


def _write_records(data: Path, file: Path) -> None:
    """The tf.Examples that an ImportExampleGen's user would have made."""
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for entry in find_pictures(str(data), None, frozenset(SPLITS)).entries:
            example = tf.train.Example()
            for name, value in (
                ("image/encoded", Path(entry.path).read_bytes()),
                ("image/class/text", entry.label.encode()),
            ):
                example.features.feature[name].bytes_list.value.append(value)
            writer.write(example.SerializeToString())


def bare_loop(data: Path, size: int) -> tuple[float, float]:
    """Two warm processes that read, decode, resize and encode: pictures a second, and CPU milliseconds a picture."""
    files = sorted(map(str, data.glob("*/*")))
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _one_thread, (round(size / 0.875),)) as pool:
        pool.map(_shrink, files[:20], chunksize=5)
        began = time.monotonic()
        cpu = sum(pool.imap_unordered(_shrink, files, chunksize=10))
        return len(files) / (time.monotonic() - began), 1000 * cpu / len(files)


def _one_thread(side: int) -> None:
    global _shrink_one
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _shrink_one = tf.function(
        lambda encoded: pictures.shrink(encoded, side), input_signature=[tf.TensorSpec([], tf.string)], autograph=False
    )


def _shrink(file: str) -> float:
    began = time.process_time()
    _shrink_one(tf.constant(Path(file).read_bytes())).numpy()
    return time.process_time() - began


def repeat(photographs: Path, folder: Path, count: int) -> int:
    """Class folders with `count` names for the photographs; their bytes together."""
    files, total = sorted(file for file in photographs.rglob("*") if file.is_file()), 0
    for number in range(count):
        source = files[number % len(files)]
        target = folder / f"class {number % CLASSES}" / f"{number:06d}{source.suffix.lower()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target) if folder.stat().st_dev == source.stat().st_dev else target.write_bytes(
            source.read_bytes()
        )
        total += source.stat().st_size
    return total


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function's result from a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(function, arguments)


def rate(small: dict[str, Any], large: dict[str, Any], counts: tuple[int, int], stage: str) -> float:
    """Pictures a second, by the difference of two sizes."""
    return (counts[1] - counts[0]) / max(growth([small, large], "seconds", stage), 1e-3)


def growth(runs: list[dict[str, Any]], what: str, stage: str) -> float:
    """By how much the larger run needed more."""
    return runs[1]["stages"][stage][what] - runs[0]["stages"][stage][what]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, help="a folder of JPEG files")
    parser.add_argument(
        "--pictures", type=int, default=2000, help="the larger of the two sizes; the other is a quarter"
    )
    parser.add_argument("--size", type=int, default=224, help="side of the network's input, pixels")
    parser.add_argument("--rates", type=Path, help="write our rates to this file")
    parser.add_argument("--no-plain", action="store_true", help="leave the plain way out; it takes longest")
    arguments = parser.parse_args()
    counts = (arguments.pictures // 4, arguments.pictures)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, str(count)) for count in counts]
        for folder in folders:
            folder.mkdir()
        total = [repeat(arguments.photographs, folder, n) for folder, n in zip(folders, counts, strict=True)][1]
        our_runs = [alone(measure, ours, folder, arguments.size) for folder in folders]
        loop, loop_cpu = bare_loop(folders[1], arguments.size)
        plain_runs = [] if arguments.no_plain else [alone(measure, plain, folder, arguments.size) for folder in folders]

    console = Console()
    console.print(f"{counts[1]:,} photographs, {total / 1e6:,.0f} MB, at {arguments.size} pixels")
    table = Table("", "ours", "plain", "ours / plain")
    found: dict[str, Any] = {"pictures": counts[1], "bare_loop": loop, "bare_loop_cpu": loop_cpu}
    for stage in COMPONENTS:
        rates = [rate(*runs, counts, stage) for runs in (our_runs, plain_runs) if runs]
        found[stage] = rates
        table.add_row(f"{stage}, pictures a second", *(f"{one:.0f}" for one in rates), *_ratio(rates))
    for stage in COMPONENTS:
        # On a busy machine the processor's own seconds tell more than the clock's.
        spent = [1000 * growth(runs, "cpu", stage) / (counts[1] - counts[0]) for runs in (our_runs, plain_runs) if runs]
        found[f"{stage} cpu"] = spent
        table.add_row(f"{stage}, CPU milliseconds a picture", *(f"{one:.2f}" for one in spent), *_ratio(spent))
    for kind in ("ingested", "transformed"):
        sizes = [runs[1]["bytes"][kind] / total for runs in (our_runs, plain_runs) if runs]
        found[kind] = sizes
        table.add_row(f"bytes {kind} / of the files", *(f"{one:.2f}" for one in sizes), *_ratio(sizes))
    for stage in COMPONENTS:
        peaks = [run["stages"][stage]["peak"] for run in our_runs]
        found[f"{stage} memory"] = peaks[1] / peaks[0]
        table.add_row(f"{stage}, peak memory, 4 x the pictures", f"{peaks[1] / peaks[0]:.2f} x", "", "")
    both = 1 / (1 / found["ImageExampleGen"][0] + 1 / found["Transform"][0])
    found["machine"] = both / loop
    table.add_row("ingest and Transform / bare loop of two processes", f"{both / loop:.2f}", "", "")
    cpu = loop_cpu / (found["ImageExampleGen cpu"][0] + found["Transform cpu"][0])
    found["machine_cpu"] = cpu
    table.add_row("the same in CPU milliseconds, bare loop / ours", f"{cpu:.2f}", "", "")
    console.print(table)
    console.print_json(json.dumps(found))
    if arguments.rates:
        arguments.rates.write_text(json.dumps(_rates(our_runs, counts, total), indent=2) + "\n")


def _ratio(values: list[float]) -> list[str]:
    return [f"{values[0] / values[1]:.2f}"] if len(values) == 2 else ["", ""]


def _rates(runs: list[dict[str, Any]], counts: tuple[int, int], total: int) -> dict[str, Any]:
    """Of each component: seconds whatever the data, and pictures a second."""
    stages = {}
    for stage in COMPONENTS:
        speed = rate(*runs, counts, stage)
        fixed = max(runs[0]["stages"][stage]["seconds"] - counts[0] / speed, 0.0)
        peak = runs[1]["stages"][stage]["peak"]
        stages[stage] = {"fixed_seconds": round(fixed, 1), "pictures_a_second": round(speed, 1), "peak_memory": peak}
    return {
        "cores": os.cpu_count(),
        "mean_bytes": round(total / counts[1]),
        "ingested_bytes": round(runs[1]["bytes"]["ingested"] / total, 3),
        "transformed_mean_bytes": round(runs[1]["bytes"]["transformed"] / counts[1]),
        "stages": stages,
    }


if __name__ == "__main__":
    main()
