"""Our data path and the plain one, from files to transformed records, as TFX pipelines with measurements."""

import json
import logging
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import absl.logging
import tensorflow as tf
from photographs import bytes_of
from pipeline_overhead import PLAIN_BEAM
from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.component import ImageExampleGen
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.components.schema_gen import SchemaGen
from efficientmixnet.components.statistics_gen import statistics_gen
from efficientmixnet.components.transform import transform
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.config.data_config import DataConfig
from efficientmixnet.pipeline.pipeline import BEAM_ARGS

SPLITS = {"train": 0.9, "eval": 0.1}
Stages = dict[str, dict[str, float]]  # for each component: seconds, processor seconds, peak memory in bytes


def ours(folder: Path, data: Path, size: int, workers: int | None = None) -> list[Any]:
    """Returns our components from ingest to Transform, with the defaults, except for the processes of Transform."""
    config = DataConfig(images=str(data), splits=SPLITS)
    examples = ImageExampleGen(
        images=config.images,
        manifest="",
        splits=json.dumps(config.splits),
        max_left_out=config.max_left_out,
        max_pixels=config.max_pixels,
        fingerprint="",
    )
    statistics = statistics_gen(examples.outputs["examples"])
    schema = SchemaGen(statistics.outputs["statistics"], ["eval"])
    stored = round(size / 0.875)  # NetworkConfig.stored_side at this size
    transformed = transform(examples.outputs["examples"], schema.outputs["schema"], list(SPLITS), stored)
    transformed.with_beam_pipeline_args(BeamConfig(workers=workers or "auto").args_of_transform(bytes_of(data)))
    return [examples, statistics, schema, transformed]


def plain(folder: Path, data: Path, size: int) -> list[Any]:
    """Returns TFX's own components for the same work."""
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
    return [examples, statistics, schema, transformed]


def _pipeline(folder: Path, components: list[Any], beam_args: list[str]) -> tfx.dsl.Pipeline:
    return tfx.dsl.Pipeline(
        pipeline_name="data",
        pipeline_root=str(folder / "artifacts"),
        components=components,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(str(folder / "m")),
        beam_pipeline_args=beam_args,
    )


def measure(make: Callable[[Path, Path, int], list[Any]], data: Path, size: int, until: str) -> dict[str, Any]:
    """Runs the pipeline in this process. Returns its stages and the bytes that each component wrote."""
    meter, logger = Meter(), absl.logging.get_absl_logger()
    absl.logging.set_verbosity(absl.logging.INFO)
    absl.logging.get_absl_handler().setLevel(logging.ERROR)
    logger.addHandler(meter)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began, cpu = time.monotonic(), _cpu_seconds()
        if make is plain:
            (folder / "records").mkdir()
            _write_records(data, folder / "records" / "images.gz")
        making_records, cpu = time.monotonic() - began, _cpu_seconds() - cpu
        components = make(folder, data, size)[: 2 if until == "StatisticsGen" else None]
        beam_args = PLAIN_BEAM if make is plain else BEAM_ARGS
        tfx.orchestration.LocalDagRunner().run(_pipeline(folder, components, beam_args))
        meter.stages["ImageExampleGen"]["seconds"] += making_records if make is plain else 0.0
        meter.stages["ImageExampleGen"]["cpu"] += cpu if make is plain else 0.0
        written = {
            kind: sum(file.stat().st_size for file in folder.glob(f"artifacts/{pattern}/**/*.gz"))
            for kind, pattern in (("ingested", "*ExampleGen/examples"), ("transformed", "Transform/transformed_exam*"))
        }
    return {"stages": meter.stages, "bytes": written}


def _write_records(data: Path, file: Path) -> None:
    """Writes the tf.Examples that a user of ImportExampleGen would have written."""
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for entry in find_images(str(data), None, frozenset(SPLITS)).entries:
            example = tf.train.Example()
            for name, value in (
                ("image/encoded", Path(entry.path).read_bytes()),
                ("image/class/text", entry.label.encode()),
            ):
                example.features.feature[name].bytes_list.value.append(value)
            writer.write(example.SerializeToString())


class Meter(logging.Handler):
    """Measures seconds and peak memory of each component, from LocalDagRunner's log and /proc."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.stages: Stages = {}

    def emit(self, record: logging.LogRecord) -> None:
        found = re.match(r"Component (\S+) is (running|finished)\.", record.getMessage())
        if not found:
            return
        name = found[1].replace("ImportExampleGen", "ImageExampleGen")
        if found[2] == "running":
            Path("/proc/self/clear_refs").write_text("5")  # resets the peak
            self.stages[name] = {"began": time.monotonic(), "cpu began": _cpu_seconds()}
        else:
            status = Path("/proc/self/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
            began = self.stages[name]
            self.stages[name] = {
                "seconds": time.monotonic() - began["began"],
                "cpu": _cpu_seconds() - began["cpu began"],
                "peak": peak,
            }


def _cpu_seconds() -> float:
    """Returns the processor seconds of this process and of its children that have ended."""
    of_both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in of_both)
