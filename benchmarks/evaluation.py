"""Compares the time of Evaluator, the report and scoring with bare calls of the exported model.

All of them run on the images of one run, repeated up to --images, in one process and after a warm-up call. On a machine
that other programs use, `--clock cpu` measures processor time instead of elapsed time.

    python benchmarks/evaluation.py OUTPUT [--images COUNT] [--clock cpu]      OUTPUT: an output folder with a run
"""

import argparse
import itertools
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
import yaml
from rich.console import Console
from rich.table import Table
from tfx import v1 as tfx

from efficientmixnet.components.evaluator.component import Evaluator, evaluator
from efficientmixnet.components.report import content
from efficientmixnet.components.report.page import render
from efficientmixnet.components.report.predictions import Predictions
from efficientmixnet.components.report.write_predictions import BATCH, Classifier, write_predictions
from efficientmixnet.modules import features
from efficientmixnet.modules.exported_model import SERVING_FOLDER
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS
from efficientmixnet.pipeline.runs.results import Results
from efficientmixnet.pipeline.runs.runs import read_summary
from efficientmixnet.pipeline.scoring.score import score

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Stopwatch:
    """Measures seconds with one of CLOCKS."""

    def __init__(self, clock: str) -> None:
        self._clock = CLOCKS[clock]

    def __call__(self, work: Callable[[], Any]) -> float:
        """Returns the seconds that the call takes."""
        began = self._clock()
        work()
        return self._clock() - began


def repeated(files: list[str], count: int, target: str) -> None:
    """Writes `count` records by repeating those of the files."""
    records = [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]
    with tf.io.TFRecordWriter(target, tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)) as writer:
        for record in itertools.islice(itertools.cycle(records), count):
            writer.write(record)


def bare(model: Classifier, files: list[str]) -> None:
    """Calls the model and discards the predictions."""
    for examples in tf.data.TFRecordDataset(files, "GZIP").batch(BATCH).prefetch(2):
        model.probabilities(examples)


def evaluate(examples: Any, model: str, config: dict[str, Any], folder: str) -> None:
    """Runs Evaluator's executor without a baseline model."""
    kinds = tfx.types.standard_artifacts
    channels = (tfx.dsl.Channel(type=kind) for kind in (kinds.Examples, kinds.Model, kinds.Model, kinds.Schema))
    component = evaluator(*channels, **config)
    candidate, evaluation, blessing = kinds.Model(), kinds.ModelEvaluation(), kinds.ModelBlessing()
    candidate.uri, evaluation.uri, blessing.uri = model, f"{folder}/evaluation", f"{folder}/blessing"
    executor = Evaluator.EXECUTOR_SPEC.executor_class
    context = executor.Context(beam_pipeline_args=list(IN_PROCESS), tmp_dir=folder, unique_id="1")
    outputs = {"evaluation": [evaluation], "blessing": [blessing]}
    executor(context).Do({"examples": [examples], "model": [candidate]}, outputs, component.exec_properties)


def write_files(files: list[str], folder: Path) -> None:
    """Writes the images of the records as files."""
    spec = {features.ENCODED: tf.io.FixedLenFeature([], tf.string)}
    for number, record in enumerate(tf.data.TFRecordDataset(files, "GZIP")):
        encoded = tf.io.parse_single_example(record, spec)[features.ENCODED].numpy()
        (folder / f"{number:07d}.png").write_bytes(encoded)


def batches(folder: Path) -> Iterator[tf.Tensor]:
    """Yields the bytes of 32 files at a time."""
    return iter(tf.data.Dataset.list_files(f"{folder}/*", shuffle=False).map(tf.io.read_file).batch(32).prefetch(2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="an output folder with a run that evaluated a model")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    arguments = parser.parse_args()
    seconds = Stopwatch(arguments.clock)
    summary = read_summary(arguments.output)
    config = yaml.safe_load(Path(summary.run, "config.yaml").read_text())
    found = Results(Path(arguments.output, "metadata.sqlite"))
    model = str(found.uri("Model"))
    rows: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        examples = tfx.types.standard_artifacts.Examples()
        examples.uri, examples.split_names = folder, '["eval"]'
        Path(folder, "Split-eval").mkdir()
        files = [f"{folder}/Split-eval/images-00000-of-00001.gz"]
        repeated(sorted(map(str, Path(str(found.uri("Examples"))).glob("Split-*/*.gz"))), arguments.images, files[0])
        classifier = Classifier(f"{model}/{SERVING_FOLDER}")
        bare(classifier, files)  # warm up: the first calls trace and allocate
        alone = seconds(lambda: bare(classifier, files))
        rows["predictions of the report"] = (
            seconds(lambda: write_predictions(classifier, None, files, f"{folder}/predictions.parquet")),
            alone,
        )

        def page() -> None:
            predictions = Predictions(f"{folder}/predictions.parquet")
            gathered = {
                "verdict": {"blessed": summary.blessed, "reason": summary.reason},
                **content.measured(predictions),
                **content.shown(predictions, classifier, files),
                **content.trained_on(config, str(found.uri("ExampleStatistics")), ["train", "eval"], {}, []),
                "curves": {},
            }
            size = len(render(json.loads(json.dumps(gathered))))
            print(f"the page has {size / 1e6:.1f} MB")

        rows["the report's page from them"] = (seconds(page), alone)
        bounds = {"thresholds": {"accuracy": 0.0}, "tolerances": {}}
        rows["Evaluator"] = (seconds(lambda: evaluate(examples, model, bounds, folder)), alone)

        images = Path(folder, "images")
        images.mkdir()
        write_files(files, images)
        signature = classifier.model.signatures["serving_default"]
        signature(next(batches(images)))
        by_file = seconds(lambda: [signature(batch) for batch in batches(images)])
        rows["score"] = (
            seconds(lambda: score(f"{model}/{SERVING_FOLDER}", str(images), [Path(folder, "scored.parquet")])),
            by_file,
        )
    table = Table("what", "seconds", "bare calls, seconds", "ratio")
    for name, (ours, theirs) in rows.items():
        table.add_row(name, f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}")
    console = Console()
    console.print(f"{arguments.images:,} images")
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(f"peak memory of the whole benchmark: {peak:.2f} GiB")


if __name__ == "__main__":
    main()
