"""An ablation study on CIFAR-10: does each part help a small EfficientMixNet, at equal budgets?

    KERAS_BACKEND=jax python benchmarks/ablation.py --data cifar10-train.tar.xz --precision mixed_bfloat16   on a GPU
    python benchmarks/ablation.py --data cifar10-train.tar.xz --short                                       on a CPU

Each candidate changes one part of the plain network (one kernel size per block, swish, BN, Adam). Data, order,
augmentation, steps, schedule and weight decay are the same for all. A tenth of the training images is for validation,
and a tenth for the final measurement, with the same number of each class.

Every candidate gets the same search for its learning rate: one run for each of --rates with a seed of its own, measured
on the validation images. While the lowest or highest rate is the best, half or twice that rate is tried too. Then the
candidate runs once per seed with the best rate, and is measured on the final images after the last step. The last
candidate combines the parts whose mean was above the plain network's. The table has the mean and standard deviation
over the seeds. A difference counts if it is larger than three standard errors, with the deviation pooled over all
candidates, except those with a run that diverged.

Every run has the floating-point operations of its training, as budget.py counts them, next to the 3.1e15 with which
airbench96 reaches 96.0 %. With `--best`, a larger network is trained for that accuracy, with Nesterov's momentum. It
searches its rate like the candidates. Then it trains on the validation images too.

Results are appended to --results, and a run that is already there is skipped. So a study can be stopped at any time and
goes on later, --minutes ends it after a part, and several processes can share the work. With --card and --revision,
only runs of this card and revision count. `--short` is for a CPU: a network of 50,000 weights and four epochs.
`--combined` measures only the combination of what the results have, and `--table` only prints.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ablation_candidates import (
    AIRBENCH96,
    BEST,
    BEST_CANDIDATE,
    CANDIDATES,
    COMBINED,
    FULL,
    LARGE,
    PLAIN,
    SHORT,
    Candidate,
)
from ablation_runs import Part, Setting, prepare_runs
from cifar_images import read_images, split

DIVERGED = 12.0  # %, little more than chance
SEARCH_SEED = 100  # of the runs that choose a learning rate


class Study:
    """The runs of a study. Those that are in the file of results are not repeated."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.scale = LARGE if given.best else SHORT if given.short else FULL
        self.epochs = {"search": given.search_budget or given.budget, "final": given.budget}
        self.settings = {name: getattr(given, name) for name in ("batch", "decay", "precision", "short", "images")}
        # The study on a CPU has none of these.
        self.settings |= {name: found for name in ("card", "revision", "best") if (found := getattr(given, name))}
        self.end = time.monotonic() + 60 * given.minutes
        self.seconds_of_epoch = 0.0  # of the slowest run so far

    def read(self) -> None:
        """Reads the images, which takes seconds."""
        images, classes = read_images(self.given.data)
        some = np.random.default_rng(1).permutation(len(images))[: self.given.images]
        train, validation, final = split(images[some], classes[some])
        # The network for 96 % has one candidate, so its last runs can learn from the validation images.
        both = len(train) + len(validation) if self.given.best else len(train)
        self.parts = {
            "search": Part("search", len(train), validation, self.epochs["search"]),
            "final": Part("final", both, final, self.epochs["final"]),
        }
        self.setting = Setting(
            self.scale, train + validation, self.given.batch, self.given.decay, self.given.together, self.given.verbose
        )

    def lines(self, candidate: Candidate, part: str, **which: Any) -> list[dict[str, Any]]:
        """Returns the results of a candidate so far, including those of other processes."""
        wanted = {**self.settings, "budget": self.epochs[part], **asdict(candidate), "part": part, **which}
        return [line for line in read_lines(self.given.results) if wanted.items() <= line.items()]

    def best_rate(self, candidate: Candidate) -> float | None:
        """Returns the learning rate with the best accuracy on the validation images; None before the first search."""
        found = self.lines(candidate, "search")
        return max(found, key=lambda line: line["accuracy"])["rate"] if found else None

    def next_rate(self, candidate: Candidate) -> float | None:
        """Returns half of the lowest rate or twice the highest one, if that rate is the best so far."""
        tried = [line["rate"] for line in self.lines(candidate, "search")]
        best = self.best_rate(candidate)
        return best / 2 if best == min(tried) else best * 2 if best == max(tried) else None

    def measure(self, name: str, candidate: Candidate) -> None:
        """Searches the learning rate, and runs the candidate with every seed."""
        self.runs = None  # of this candidate, which are compiled when there is something to run
        self._all(name, candidate, "search", [(SEARCH_SEED, rate) for rate in self.given.rates])
        while rate := self.next_rate(candidate):
            self._all(name, candidate, "search", [(SEARCH_SEED, rate)])
        best = self.best_rate(candidate)
        self._all(name, candidate, "final", [(seed, best) for seed in self.given.seeds])

    def _all(self, name: str, candidate: Candidate, part: str, runs: Sequence[tuple[int, float]]) -> None:
        """Runs what is missing, `together` runs at a time."""
        for first in range(0, len(runs), self.given.together):
            missing = [
                (seed, rate)
                for seed, rate in runs[first : first + self.given.together]
                if not self.lines(candidate, part, seed=seed, rate=rate)
            ]
            if missing:
                self._some(name, candidate, self.parts[part], missing)

    def _some(self, name: str, candidate: Candidate, part: Part, runs: Sequence[tuple[int, float]]) -> None:
        self.runs = self.runs or prepare_runs(candidate, self.setting, [*self.parts.values()])
        if time.monotonic() + self.seconds_of_epoch * part.epochs > self.end:
            raise SystemExit(f"{self.given.minutes:g} minutes are too few for the next run; a later call goes on")
        start = time.monotonic()
        found = self.runs(part, runs)
        self.seconds_of_epoch = max(self.seconds_of_epoch, (time.monotonic() - start) / part.epochs)
        same = {**self.settings, "budget": part.epochs, **asdict(candidate), "part": part.name}
        lines = [same | {"seed": seed, "rate": rate} | one for (seed, rate), one in zip(runs, found, strict=True)]
        with self.given.results.open("a") as results:  # one write keeps the lines of several processes apart
            results.write("".join(json.dumps(line) + "\n" for line in lines))
        for line in lines:
            print(f"{name}, {part.name}, rate {line['rate']:g}, seed {line['seed']}: {line['accuracy']:.2%}", end="; ")
            print(f"{compared(line['operations'])}", flush=True)

    def final_runs(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Returns the runs with the best learning rate."""
        return self.lines(candidate, "final", rate=self.best_rate(candidate))


def compared(operations: float) -> str:
    return f"{operations:.2e} operations, {operations / AIRBENCH96:.2f} of airbench96's"


def combined(study: Study, candidates: Mapping[str, Candidate]) -> Candidate | None:
    """Returns the plain network with all parts that helped alone; None if there are fewer than two."""
    mean = {
        name: statistics.mean(line["accuracy"] for line in runs)
        for name, candidate in candidates.items()
        if (runs := study.final_runs(candidate))
    }
    plain = mean.pop(next(iter(CANDIDATES)), 1.0)
    parts: dict[str, Any] = {}
    # The better one of two candidates for the same part comes last.
    helped = sorted((name for name in mean if mean[name] > plain), key=lambda name: mean[name])
    for name in helped:
        changed = {k: v for k, v in asdict(candidates[name]).items() if v != getattr(PLAIN, k)}
        for together in (("norm", "placement", "init", "squeeze_excite"), ("optimizer", "warmup")):
            if changed.keys() & {*together}:
                changed = {k: getattr(candidates[name], k) for k in together}
        parts |= changed
    several = len({"mixed", "activation", "norm", "optimizer"} & parts.keys()) > 1
    return replace(PLAIN, **parts) if several else None


def read_lines(results: Path) -> list[dict[str, Any]]:
    """Returns the results so far, including those of other processes."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def table(study: Study, candidates: Mapping[str, Candidate]) -> str:
    """Returns the mean and deviation of every candidate, and the differences from the plain one that count."""
    runs = {name: study.final_runs(candidate) for name, candidate in candidates.items()}
    accuracies = {name: [100 * each["accuracy"] for each in of_one] for name, of_one in runs.items() if of_one}
    means = {name: statistics.mean(values) for name, values in accuracies.items()}
    several = [values for values in accuracies.values() if len(values) > 1 and min(values) > DIVERGED]
    freedom = sum(len(values) - 1 for values in several)
    pooled = sum((len(values) - 1) * statistics.variance(values) for values in several) / freedom if freedom else None
    rows = [
        "| changed | rate | accuracy, % | difference | counts | runs | weights |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    plain = next(iter(CANDIDATES))
    for name, values in accuracies.items():
        deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        difference, counts = "", ""
        if name != plain and plain in means:
            difference = f"{means[name] - means[plain]:+.2f}"
            diverged = sum(value <= DIVERGED for value in values)
            if diverged:
                counts = f"{diverged} of {len(values)} diverged"
            elif pooled is not None:
                error = math.sqrt(pooled * (1 / len(values) + 1 / len(accuracies[plain])))
                counts = "yes" if abs(means[name] - means[plain]) > 3 * error else "no"
        rows.append(
            f"| {name} | {runs[name][0]['rate']:g} | {means[name]:.2f}{deviation} | {difference} | {counts} "
            f"| {len(values)} | {runs[name][0]['parameters']:,} |"
        )
    return "\n".join(rows)


def as_line(name: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the final runs of a candidate as one line for on_gpu.py."""
    values = [100 * run["accuracy"] for run in runs]
    mirrored = [100 * run["mirrored"] for run in runs if "mirrored" in run]
    return {
        "candidate": name,
        "value": statistics.mean(values),
        "unit": "% correct",
        "deviation": statistics.stdev(values) if len(values) > 1 else None,
        "mirrored": statistics.mean(mirrored) if mirrored else None,  # with the mirror image of each image
        "runs": len(values),
        "rate": runs[0]["rate"],
        "seconds": statistics.mean(run["seconds"] for run in runs),
        "operations": runs[0]["operations"],
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="cifar10-train.tar.xz, or its extracted folder")
    parser.add_argument("--budget", type=int, help="epochs per run")
    parser.add_argument("--search-budget", type=int, help="epochs per run that searches a rate; --budget by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="each candidate runs once per seed")
    parser.add_argument("--only", nargs="*", choices=CANDIDATES, help="run only these candidates")
    parser.add_argument("--combined", action="store_true", help="run only the combination of what helped so far")
    parser.add_argument("--best", action="store_true", help="train a larger network for 96 %%")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rates", type=float, nargs="+", help="the learning rates to search, at least four")
    parser.add_argument("--images", type=int, help="use only this many images, to try the script")
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after this time; a later call goes on")
    parser.add_argument("--together", type=int, default=1, help="runs in one program, on JAX")
    parser.add_argument("--decay", type=float)
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16, for a GPU")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "ablation.jsonl")
    parser.add_argument("--card", help="count only runs of this card")
    parser.add_argument("--revision", help="count only runs of this revision")
    parser.add_argument("--short", action="store_true", help="a small network and a small budget, for a CPU")
    parser.add_argument("--table", action="store_true", help="print the table of the results so far, and train nothing")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each candidate too")
    parser.add_argument("--verbose", type=int, default=0)
    given = parser.parse_args()
    if given.best and given.short:
        parser.error("--best: has a network of its own; leave out --short")
    if not (given.data or given.table):
        parser.error("--data: give the images, or --table")
    return given


def main() -> None:
    given = arguments()
    scale = LARGE if given.best else SHORT if given.short else FULL
    given.budget, given.batch = given.budget or scale.epochs, given.batch or scale.batch
    given.decay = scale.decay if given.decay is None else given.decay
    given.rates = given.rates or scale.rates
    keras.config.set_dtype_policy(given.precision)
    study = Study(given)
    candidates = {BEST: BEST_CANDIDATE} if given.best else {name: CANDIDATES[name] for name in given.only or CANDIDATES}
    if not given.table:
        study.read()
    if not (given.table or given.combined):
        for name, candidate in candidates.items():
            study.measure(name, candidate)
    if best := combined(study, candidates):
        candidates[COMBINED] = best
        print(f"{COMBINED}: {best}")
        if not given.table:
            study.measure(COMBINED, best)
    elif given.combined:
        raise SystemExit("fewer than two parts helped alone so far, so there is nothing to combine")
    shown = {COMBINED: best} if given.combined else candidates
    print(f"\n{keras.backend.backend()}, {study.epochs} epochs, {study.settings}\n\n{table(study, candidates)}")
    for name, candidate in shown.items():
        if given.json and (runs := study.final_runs(candidate)):
            print(json.dumps(as_line(name, runs)))


if __name__ == "__main__":
    main()
