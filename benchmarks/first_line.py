"""Measures the processor time of commands: to their first line, and to their end.

    python benchmarks/first_line.py OUTPUT IMAGE

OUTPUT is the output folder of a run that pushed a model, and IMAGE an image in a class folder. "floor" is a process
that only imports TensorFlow. Commands of Kubeflow that need a server are not measured, and neither is `try`, which does
not end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-c", "from efficientmixnet.pipeline.supervisor import main; main()"]
CLUSTER = ["--image", "efficientmixnet:latest", "--pipeline-root", "gs://bucket/pipelines"]
_TICKS = os.sysconf("SC_CLK_TCK")


def commands(output: Path, image: Path, scratch: Path) -> dict[str, list[str]]:
    """Returns what is measured, by name. Commands write into the folder `scratch`."""
    run, pushed, data = str(max(output.glob("runs/*"))), str(output / "pushed"), str(image.parents[1])
    config = f"{run}/config.yaml"
    arguments = {
        "--version": ["--version"],
        "--help": ["--help"],
        "predict": ["predict", pushed, str(image)],
        "score": ["score", pushed, str(image.parent), "--output", str(scratch / "predictions.csv")],
        "evaluate": ["evaluate", pushed, data, "--output", str(scratch / "evaluation")],
        "inspect": ["inspect", data, "--page", str(scratch / "inspection.html")],
        "report": ["report", run],
        "tfma": ["tfma", run],
        "runs": ["runs", str(output)],
        "compare": ["compare", run, run],
        "lineage": ["lineage", pushed],
        "run, unchanged": ["run", config],
        "init": ["init", str(scratch / "my.yaml")],
        "network": ["network", "B0"],
        "scale": ["scale"],
        "plan": ["plan", "--images", "5000"],
        "digits": ["digits", str(scratch / "digits")],
        "kubeflow compile": ["kubeflow", "compile", config, *CLUSTER, "-o", str(scratch / "package.yaml")],
    }
    floor = [sys.executable, "-c", "import tensorflow; print('done')"]
    return {"floor": floor} | {name: [*COMMAND, *given] for name, given in arguments.items()}


def measure(command: list[str]) -> tuple[float, float]:
    """Returns the processor time of the command and its children: to the first line, and to the end."""
    before = os.times()
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    assert process.stdout
    process.stdout.readline()
    first = processor_time(process.pid)
    process.stdout.read()
    if process.wait():
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    after = os.times()
    total = after.children_user - before.children_user + after.children_system - before.children_system
    return first, total


def processor_time(root: int) -> float:
    """Returns the processor time that a process and the processes that it has started have used so far."""
    seconds = 0.0
    for process in [root, *_children(root)]:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended.
        seconds += (int(fields[11]) + int(fields[12])) / _TICKS
    return seconds


def _children(process: int) -> list[int]:
    found = [int(child) for file in Path(f"/proc/{process}/task").glob("*/children") for child in _words(file)]
    return found + [below for child in found for below in _children(child)]


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--repeat", type=int, default=3, help="how often; the fastest counts")
    options = parser.parse_args()
    print(f"{'command':<16} {'first line':>10} {'end':>7}   seconds of processor time")
    for name in commands(options.output, options.image, Path()):
        began, measured = time.monotonic(), []
        for _ in range(options.repeat):
            with tempfile.TemporaryDirectory() as scratch:
                measured.append(measure(commands(options.output, options.image, Path(scratch))[name]))
        first, total = (min(column) for column in zip(*measured, strict=True))
        print(f"{name:<16} {first:10.2f} {total:7.2f}   ({time.monotonic() - began:.0f} s in all)", flush=True)


if __name__ == "__main__":
    main()
