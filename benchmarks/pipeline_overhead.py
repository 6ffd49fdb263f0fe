"""Compares a plain TFX pipeline with ours on the same images, component by component.

The plain pipeline follows TFX's tutorials: ImportExampleGen, user code as module_file, a Transform that writes float
images, and statistics over everything. Its time includes writing the records. It names Beam's own runner, because
without a name Beam looks for another one on the network. TFX then packs an archive of itself for every component on
Beam. With --equal-beam it gets our runner and packs nothing. Ours is the command `efficientmixnet run`. Each pipeline
runs in its own process, and imports are not counted. The sums leave out training, because the networks differ.
ServingCheck and Report, which the plain pipeline lacks, have their own sum. ServingCheck runs beside Baseline and
Evaluator, so the sum has only the time that it takes longer.

    python benchmarks/pipeline_overhead.py                          1,000 crops of scikit-learn's two photographs
    python benchmarks/pipeline_overhead.py --images digits --size 16      handwritten digits
    python benchmarks/pipeline_overhead.py --images FOLDER [--size PIXELS] [--equal-beam]
"""

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import absl.logging
import numpy as np
import tensorflow as tf
from PIL import Image
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_images
from tensorflow_model_analysis.proto import config_pb2
from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.pipeline.commands.digits import write_digits
from efficientmixnet.pipeline.pipeline import BEAM_ARGS

COMMAND = Path(sys.executable).with_name("efficientmixnet")
PLAIN_BEAM = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]
SPLITS = frozenset({"train", "eval"})
# The plain pipeline's names for our components.
SAME = {"ImportExampleGen": "ImageExampleGen", "latest_blessed_model_resolver": "Baseline"}


class Clock(logging.Handler):
    """Measures the seconds of each component, from LocalDagRunner's log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"Component (\S+) is (running|finished)\.", record.getMessage()):
            name = SAME.get(found[1], found[1])
            began = self.seconds.get(name, 0.0)
            self.seconds[name] = time.monotonic() - (began if found[2] == "finished" else 0.0)


def timed(pipeline: tfx.dsl.Pipeline) -> dict[str, float]:
    """Runs the pipeline. Returns the seconds of each component."""
    clock = Clock()
    logger = absl.logging.get_absl_logger()
    logger.addHandler(clock)
    try:
        tfx.orchestration.LocalDagRunner().run(pipeline)
    finally:
        logger.removeHandler(clock)
    return clock.seconds


def plain_pipeline(records: str, folder: str, size: int, beam_args: list[str]) -> tfx.dsl.Pipeline:
    """Returns ImportExampleGen to Pusher with TFX's defaults."""
    user_module = str(Path(__file__).parent / "plain_pipeline" / "user_module.py")
    examples = tfx.components.ImportExampleGen(input_base=records)
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        module_file=user_module,
        custom_config={"size": size},
    )
    trainer = tfx.components.Trainer(
        module_file=user_module,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(),
        eval_args=tfx.proto.EvalArgs(),
        custom_config={"size": size},
    )
    baseline = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    metric = config_pb2.MetricConfig(
        class_name="SparseCategoricalAccuracy",
        threshold=config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": 0.0})
        ),
    )
    evaluator = tfx.components.Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        eval_config=config_pb2.EvalConfig(
            model_specs=[
                config_pb2.ModelSpec(
                    signature_name="serving_default",
                    preprocessing_function_names=["transform_features"],
                    prediction_key="probabilities",
                    label_key="label",
                )
            ],
            slicing_specs=[config_pb2.SlicingSpec(), config_pb2.SlicingSpec(feature_keys=["image/class/text"])],
            metrics_specs=[
                config_pb2.MetricsSpec(metrics=[metric, config_pb2.MetricConfig(class_name="ExampleCount")])
            ],
        ),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=f"{folder}/pushed")
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="plain",
        pipeline_root=folder,
        components=[examples, statistics, schema, validator, transform, trainer, baseline, evaluator, pusher],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(f"{folder}/m.sqlite"),
        beam_pipeline_args=beam_args,
    )


def write_records(images: str, file: str) -> None:
    """Writes the tf.Examples that a user of ImportExampleGen would have written: bytes, label and name."""
    with tf.io.TFRecordWriter(file, "GZIP") as writer:
        for entry in find_images(images, None, SPLITS).entries:
            example = tf.train.Example()
            for name, value in (
                ("image/encoded", Path(entry.path).read_bytes()),
                ("image/class/text", entry.label.encode()),
                ("image/filename", entry.name.encode()),
            ):
                example.features.feature[name].bytes_list.value.append(value)
            writer.write(example.SerializeToString())


def write_photographs(folder: Path) -> None:
    """Writes 1,000 crops of scikit-learn's two photographs, 200 to 427 pixels a side, one class per photograph."""
    random = np.random.default_rng(0)
    sample = load_sample_images()
    for name, photograph in zip(sample.filenames, sample.images, strict=True):
        label = folder / Path(name).stem
        label.mkdir(parents=True)
        for number in range(500):
            height, width = random.integers(200, 428, size=2)
            top, left = (int(random.integers(0, 1 + whole - part)) for whole, part in ((427, height), (640, width)))
            part = photograph[top : top + height, left : left + width]
            Image.fromarray(part).save(label / f"{number:03d}.jpg", quality=90)


def run_plain(images: str, folder: str, size: int, beam_args: list[str]) -> dict[str, float]:
    """Writes the records and runs the plain pipeline. Returns the seconds of each component."""
    Path(folder, "records").mkdir(parents=True)
    began = time.monotonic()
    write_records(images, f"{folder}/records/images.gz")
    making_records = time.monotonic() - began
    seconds = timed(plain_pipeline(f"{folder}/records", folder, size, beam_args))
    seconds["ImageExampleGen"] += making_records  # our ImageExampleGen includes this work
    return seconds


def run_ours(images: str, folder: str, size: int) -> dict[str, float]:
    """Runs `efficientmixnet run`. Returns the seconds of each component, of ServingCheck only those after Evaluator."""
    demo = Path(__file__).parent.parent / "pipeline" / "demo.yaml"
    changes = ["training.epochs=1", "training.schedule.warmup_epochs=0", f"network.image_size={size}"]
    changes += ["evaluation.thresholds={accuracy: 0.0}"]  # blessed and pushed, like the plain pipeline's model
    command = [COMMAND, "run", demo, "--data", images, "--output", folder]
    # TFT sets this variable in this process. With it, TensorFlow would load another Keras in the command's process.
    env = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    subprocess.run([*command, *(f"--set={change}" for change in changes)], env=env, check=True, stdout=sys.stderr)  # noqa: S603
    seconds: dict[str, float] = json.loads(Path(folder, "summary.json").read_text())["seconds"]
    longer = seconds["ServingCheck"] - seconds["Baseline"] - seconds["Evaluator"]
    return {**seconds, "ServingCheck": max(longer, 0.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", default="photographs", help="a folder of class folders, photographs or digits")
    parser.add_argument("--size", type=int, default=224, help="side of the network's input, pixels")
    parser.add_argument("--equal-beam", action="store_true", help="give the plain pipeline our Beam arguments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = arguments.images
        if write := {"photographs": write_photographs, "digits": write_digits}.get(images):
            images = f"{folder}/images"
            write(Path(images))
        count = len(find_images(images, None, SPLITS).entries)
        with ProcessPoolExecutor(1, get_context("spawn"), quiet) as alone:
            beam_args = BEAM_ARGS if arguments.equal_beam else PLAIN_BEAM
            plain = alone.submit(run_plain, images, f"{folder}/plain", arguments.size, beam_args).result()
        ours = run_ours(images, f"{folder}/ours", arguments.size)

    table = Table("component", "plain, s", "ours, s", "ours / plain")
    for name in ours:
        ratio = f"{ours[name] / max(plain[name], 0.05):.2f}" if name in plain else ""
        table.add_row(name, f"{plain[name]:.1f}" if name in plain else "none", f"{ours[name]:.1f}", ratio)
    ratios = {}
    for title, names in (("all that both have", plain.keys()), ("all", ours.keys())):
        first, second = (sum(run.get(name, 0.0) for name in names - {"Trainer"}) for run in (plain, ours))
        ratios[title] = second / first
        table.add_row(f"{title}, without Trainer", f"{first:.1f}", f"{second:.1f}", f"{ratios[title]:.2f}")
    console = Console()
    console.print(f"{count:,} images, at {arguments.size} x {arguments.size} pixels")
    console.print(table)
    console.print_json(json.dumps({"plain": plain, "ours": ours, "ratios": ratios}))


def quiet() -> None:
    """Sends the libraries' messages only to the clock."""
    absl.logging.set_verbosity(absl.logging.INFO)
    absl.logging.get_absl_handler().setLevel(logging.ERROR)


if __name__ == "__main__":
    main()
