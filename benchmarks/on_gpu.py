"""Measures what needs a GPU, in one command of at most 8 minutes, and appends each figure to results/gpu.jsonl.

    benchmarks/on_gpu.sh FOLDER cifar10-train.tar.xz                on a machine with a network
    python benchmarks/on_gpu.py --carried FOLDER                    on a machine with a GPU
        [--parts training,layers,optimizers,seeds,study] [--minutes 8] [--epochs 40] [--small] [--results FILE]

training: images per second of EfficientNet-B0, -B4, MixNet-S and -M in bfloat16, ours on JAX against timm's.
layers: blocks with AN and IEBN against BN, and the mixed depthwise convolution against the obvious one and timm's.
optimizers: a training step with RectifiedAdam and with Lookahead against Adam.
seeds: several runs of the study in one program against one after another. The study then takes the faster way.
study: the study of ablation.py on CIFAR-10, with --epochs for each run that counts. First come a network for 96 %, the
    plain network, one candidate for each part and their combination, then the other candidates and the combination of
    all, and at last twice the epochs for 96 %. The runs are in results/gpu-study.jsonl.

The machine needs Python 3.12, JAX, PyTorch, timm and NumPy; `seeds` and `study` need no PyTorch. Everything else is in
FOLDER. What the results already have for this card and this revision is not measured again, so the next call continues
where the time ended. `--small` rehearses with tiny sizes on a CPU.
"""

import argparse
import importlib.metadata
import json
import platform
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from ablation_candidates import AIRBENCH96
from gpu_machine import HERE, GpuMachine
from gpu_measurements import AGAINST, GOALS, PARTS, SEPARATE, TOGETHER, Given, Line, Measurement, compiling

PACKAGES = ("jax", "torch", "timm", "numpy", "keras")
COMPILERS = 6  # processes that compile at the same time
PROCESSES = 3  # of the study at the same time: while one compiles, the others train
PAYS = 1.1  # how much faster several runs in one program must be


@dataclass(frozen=True)
class Results:
    """The file of all figures, and what is the same for each figure of this call."""

    file: Path
    same: Line  # card, revision and size

    def lines(self) -> list[Line]:
        """Returns the figures of this card, revision and size."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [line for line in map(json.loads, lines) if self.same.items() <= line.items()]

    def has(self, measurement: Measurement) -> bool:
        return any(line["key"] == measurement.key for line in self.lines())

    def add(self, measurement: Measurement, found: list[Line]) -> None:
        """Appends the figures. One write for all of them keeps those of several threads apart."""
        same = {"key": measurement.key, "part": measurement.part, "name": measurement.name}
        versions = {name: installed(name) for name in PACKAGES} | {"python": platform.python_version()}
        with self.file.open("a") as file:
            file.write("".join(json.dumps(same | line | self.same | {"versions": versions}) + "\n" for line in found))


def installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def measure_part(part: str, given: Given, machine: GpuMachine, results: Results) -> list[str]:
    """Measures what the results lack. Returns what could not be measured, and why."""
    missing = [one for one in PARTS[part](given) if not results.has(one)]
    if part == "training":
        compile_all(missing, machine)

    def measure(one: Measurement) -> str | None:
        minutes = ("--minutes", f"{machine.left / 60:.2f}") if one.ends_itself else ()
        try:
            results.add(one, one.read(machine.run(*one.command, *minutes, most=one.most)))
        except TimeoutError:
            return f"{one.key}: no time left"
        except RuntimeError as error:
            return f"{one.key}: {error}"
        print(f"{one.key}: measured", flush=True)
        return None

    with ThreadPoolExecutor(PROCESSES if part == "study" else 1) as pool:
        waves = [list(pool.map(measure, [*wave])) for _, wave in groupby(missing, lambda one: one.wave)]
    return [reason for wave in waves for reason in wave if reason]


def faster_together(lines: Sequence[Line]) -> int:
    """Returns how many runs of the study share a program: 1 if that was not measured, or does not pay."""
    found = {line["candidate"]: line for line in lines if line["part"] == "seeds"}
    if not {SEPARATE, TOGETHER} <= found.keys():
        return 1
    pays = found[TOGETHER]["value"] > PAYS * found[SEPARATE]["value"]
    return found[TOGETHER]["together"] if pays else 1


def compile_all(measurements: Sequence[Measurement], machine: GpuMachine) -> None:
    """Fills the caches of the compilers with all cores, before anything is timed."""

    def compile_one(one: Measurement) -> None:
        with suppress(TimeoutError, RuntimeError):  # the measurement itself will tell
            machine.run(*compiling(one))

    with ThreadPoolExecutor(COMPILERS) as pool:
        list(pool.map(compile_one, measurements))


def print_table(lines: Sequence[Line]) -> None:
    """Prints every figure, with its ratio to the one that it is compared with."""
    from rich.console import Console
    from rich.table import Table

    table = Table("part", "what", "candidate", "value", "MB an image", "operations", "ratio", "goal")
    for line in lines:
        part, candidate = line["part"], line["candidate"]
        ratio = line.get("ratio") or ratio_to(AGAINST.get(part), line, lines)
        goal = GOALS.get((part, candidate))
        reached = goal and ratio and (ratio >= goal[1] if goal[0] == ">=" else ratio <= goal[1])
        memory, operations = line.get("bytes_per_image"), line.get("operations")
        table.add_row(
            part,
            line["name"],
            candidate,
            f"{line['value']:,.2f} {line['unit']}",
            f"{memory / 1e6:.1f}" if memory else "",
            f"{operations:.1e}, {operations / AIRBENCH96:.2f} of airbench96's" if operations else "",
            f"{ratio:.3f}" if ratio else "",
            f"{goal[0]} {goal[1]:g}: {'reached' if reached else 'missed'}" if goal and ratio else "",
        )
    Console(width=160).print(table)


def ratio_to(reference: str | None, line: Line, lines: Sequence[Line]) -> float | None:
    same = (other for other in lines if (other["part"], other["name"]) == (line["part"], line["name"]))
    return next((line["value"] / other["value"] for other in same if other["candidate"] == reference), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--carried", type=Path, required=True, help="the folder that on_gpu.sh prepared")
    parser.add_argument("--parts", default=",".join(PARTS), help="parts to measure, with commas between them")
    parser.add_argument("--minutes", type=float, default=8.0, help="the time after which everything is ended")
    parser.add_argument("--epochs", type=int, default=40, help="epochs of each run of the study that counts")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to rehearse on a CPU")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "gpu.jsonl")
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    if unknown := set(parts) - PARTS.keys():
        parser.error(f"--parts: {', '.join(sorted(unknown))}: give some of {', '.join(PARTS)}")
    if not list(arguments.carried.glob("keras-*.whl")):
        parser.error(f"--carried: {arguments.carried} has no wheel of Keras; prepare it with benchmarks/on_gpu.sh")
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        machine = GpuMachine(Path(folder), arguments.carried, 60 * arguments.minutes - 5)  # 5 for the end
        revision = (arguments.carried / "revision").read_text().strip()
        same = {"card": machine.card, "revision": revision, "small": arguments.small}
        results = Results(arguments.results, same)
        given = Given(
            arguments.carried,
            arguments.results.with_name("gpu-study.jsonl"),
            arguments.epochs,
            arguments.small,
            ("--card", machine.card, "--revision", revision),
        )
        missing = []
        for part in parts:
            given = replace(given, together=faster_together(results.lines()))
            missing += measure_part(part, given, machine, results)
        print_table([line for line in results.lines() if line["part"] in parts])
        print(*missing, sep="\n")


if __name__ == "__main__":
    main()
