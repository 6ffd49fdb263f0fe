"""What the component Report takes alone, in a process of its own: seconds, memory, and the size of its page.

On the pictures of one run, repeated to as many as asked for; the bound is 30 s and 1 GB for 10,000.

    python benchmarks/report.py OUTPUT [--pictures COUNT]      OUTPUT: an output folder that holds a run
"""

import argparse
import itertools
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path


def peak() -> float:
    """Of this process's memory, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def repeated(files: list[str], count: int, target: Path) -> None:
    """Writes so many records, those of the files again and again."""
    import tensorflow as tf

    target.parent.mkdir(parents=True)
    records = [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]
    with tf.io.TFRecordWriter(str(target), tf.io.TFRecordOptions("GZIP", compression_level=1)) as writer:
        for record in itertools.islice(itertools.cycle(records), count):
            writer.write(record)


def report(uris: Mapping[str, str], config: str) -> dict[str, float]:
    """Runs the component's executor; what importing it took counts for memory, not for seconds."""
    from tfx import v1 as tfx

    from efficientmixnet.components.report.component import Report

    imported = peak()
    kinds = tfx.types.standard_artifacts
    inputs = {
        "examples": kinds.Examples(),
        "statistics": kinds.ExampleStatistics(),
        "model": kinds.Model(),
        "model_run": kinds.ModelRun(),
        "evaluation": kinds.ModelEvaluation(),
    }
    for name, artifact in inputs.items():
        artifact.uri = uris[name]
    inputs["examples"].split_names = json.dumps(["train", "eval"])
    made = kinds.InferenceResult()
    made.uri = uris["report"]
    executor = Report.EXECUTOR_SPEC.executor_class()
    began = time.monotonic()
    executor.Do({name: [one] for name, one in inputs.items()}, {"report": [made]}, {"config": config})
    took = time.monotonic() - began
    page = Path(made.uri, "report.html").stat().st_size
    return {"seconds": took, "imported": imported, "memory": peak(), "page": page / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="an output folder that holds a run that evaluated a model")
    parser.add_argument("--pictures", type=int, default=10_000)
    arguments = parser.parse_args()

    import yaml

    from efficientmixnet.pipeline.results import Results
    from efficientmixnet.pipeline.runs import read_summary

    summary = read_summary(arguments.output)
    config = json.dumps(yaml.safe_load(Path(summary.run, "config.yaml").read_text(encoding="utf-8")))
    found = Results(Path(arguments.output, "metadata.sqlite"))
    kinds = {"statistics": "ExampleStatistics", "model": "Model", "model_run": "ModelRun"}
    uris = {name: str(found.uri(kind)) for name, kind in {**kinds, "evaluation": "ModelEvaluation"}.items()}
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(map(str, Path(str(found.uri("Examples"))).glob("Split-*/*.gz")))
        repeated(files, arguments.pictures, Path(folder, "Split-eval", "pictures-00000-of-00001.gz"))
        uris |= {"examples": folder, "report": f"{folder}/report"}
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            measured = alone.apply(report, (uris, config))
    print(
        f"{arguments.pictures:,} pictures: {measured['seconds']:.1f} s, a page of {measured['page']:.1f} MB; "
        f"{measured['memory']:.2f} GB of memory at most, {measured['imported']:.2f} GB of it TFX's and TensorFlow's "
        "before anything is done"
    )


if __name__ == "__main__":
    main()
