"""Measures the Report component in its own process, without TFX: seconds, memory and the size of the page.

TFX, which a run imports anyway, takes another 0.4 GB. The images of one run are repeated up to --images. The limits are
30 s and 1 GB for 10,000 images.

    python benchmarks/report.py OUTPUT [--images COUNT]      OUTPUT: an output folder with a run
"""

import argparse
import itertools
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def peak() -> float:
    """Returns the peak memory of this process, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def repeated(files: list[str], count: int, target: Path) -> None:
    """Writes `count` records by repeating those of the files."""
    import tensorflow as tf

    target.parent.mkdir(parents=True)
    records = [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]
    with tf.io.TFRecordWriter(str(target), tf.io.TFRecordOptions("GZIP", compression_level=1)) as writer:
        for record in itertools.islice(itertools.cycle(records), count):
            writer.write(record)


def report(places: Mapping[str, str], folder: str, config: Mapping[str, Any]) -> dict[str, float]:
    """Writes the report. Imports count for memory, not for seconds."""
    from efficientmixnet.components.report.write_report import Places, write_report

    imported, began = peak(), time.monotonic()
    write_report(folder, Places(**places), config, ["train", "eval"], {}, [])
    took = time.monotonic() - began
    page = Path(folder, "report.html").stat().st_size
    return {"seconds": took, "imported": imported, "memory": peak(), "page": page / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="an output folder with a run that evaluated a model")
    parser.add_argument("--images", type=int, default=10_000)
    arguments = parser.parse_args()

    import yaml

    from efficientmixnet.pipeline.runs.results import Results
    from efficientmixnet.pipeline.runs.runs import read_summary

    summary = read_summary(arguments.output)
    config = yaml.safe_load(Path(summary.run, "config.yaml").read_text(encoding="utf-8"))
    found = Results(Path(arguments.output, "metadata.sqlite"))
    kinds = {"statistics": "ExampleStatistics", "model": "Model", "model_run": "ModelRun"}
    uris = {name: str(found.uri(kind)) for name, kind in {**kinds, "evaluation": "ModelEvaluation"}.items()}
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(map(str, Path(str(found.uri("Examples"))).glob("Split-*/*.gz")))
        repeated(files, arguments.images, Path(folder, "Split-eval", "images-00000-of-00001.gz"))
        uris["evaluated"] = f"{folder}/Split-eval"
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            measured = alone.apply(report, (uris, f"{folder}/report", config))
    print(
        f"{arguments.images:,} images: {measured['seconds']:.1f} s, a page of {measured['page']:.1f} MB; "
        f"{measured['memory']:.2f} GB of memory at most, {measured['imported']:.2f} GB of it TensorFlow's "
        "before anything is done"
    )


if __name__ == "__main__":
    main()
