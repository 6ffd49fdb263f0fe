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

Results are appended to --results, and a run that is already there is skipped. So a study can be stopped at any time and
goes on later, --minutes ends it after a part, and several processes can share the work. `--short` is for a CPU: a
network of 50,000 weights and four epochs.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from cifar_images import SIDE, Batches, Images, read_images, split

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import BlockArgs, EfficientNetBuilder
from efficientmixnet.modules.optimizers import build_optimizer
from efficientmixnet.modules.optimizers.schedules import build_schedule

NOT_DECAYED = ["bias", "gamma", "beta"]


DIVERGED = 12.0  # %, little more than chance
SEARCH_SEED = 100  # of the runs that choose a learning rate
RATES = {True: [0.008, 0.016, 0.032, 0.064], False: [0.001, 0.002, 0.004, 0.008]}  # for --short, and without


@dataclass(frozen=True)
class Candidate:
    """The parts that vary."""

    mixed: bool = False
    activation: str = "swish"
    norm: str = "bn"
    placement: str = "all"
    init: str = "bn"
    squeeze_excite: str = "always"
    optimizer: str = "adam"
    warmup: bool = True


@dataclass(frozen=True)
class Scale:
    """The size of the network and the budget."""

    width: float
    depth: float
    magnification: int  # of the images, because the stem halves them
    epochs: int
    batch: int


FULL = Scale(width=1.0, depth=1.0, magnification=2, epochs=100, batch=256)
SHORT = Scale(width=0.25, depth=0.33, magnification=1, epochs=4, batch=128)

PLAIN = Candidate()
CANDIDATES: dict[str, Candidate] = {
    "plain, swish, bn, Adam": PLAIN,
    "mixed kernels": replace(PLAIN, mixed=True),
    "mish": replace(PLAIN, activation="mish"),
    "an": replace(PLAIN, norm="an"),
    "an, depthwise": replace(PLAIN, norm="an", placement="depthwise"),
    "an, started as in the paper": replace(PLAIN, norm="an", init="paper"),
    "an, depthwise, no squeeze-excite": replace(PLAIN, norm="an", placement="depthwise", squeeze_excite="auto"),
    "iebn": replace(PLAIN, norm="iebn"),
    "iebn, depthwise": replace(PLAIN, norm="iebn", placement="depthwise"),
    "RAdam": replace(PLAIN, optimizer="radam"),
    "Lookahead": replace(PLAIN, optimizer="lookahead"),
    "Lookahead + RAdam": replace(PLAIN, optimizer="ranger"),
    "no warm-up": replace(PLAIN, warmup=False),
    "RAdam, no warm-up": replace(PLAIN, optimizer="radam", warmup=False),
    "Lookahead + RAdam, no warm-up": replace(PLAIN, optimizer="ranger", warmup=False),
}
COMBINED = "what helped alone, combined"

# repeats, plain and mixed kernel sizes, stride, expansion, input and output filters
STAGES: list[tuple[int, int, tuple[int, ...], int, int, int, int]] = [
    (1, 3, (3,), 1, 1, 32, 24),
    (3, 3, (3, 5, 7), 1, 4, 24, 48),
    (3, 5, (3, 5, 7), 2, 4, 48, 96),
    (3, 5, (3, 5, 7, 9), 2, 4, 96, 160),
    (1, 3, (3,), 1, 4, 160, 256),
]


def network(candidate: Candidate, scale: Scale) -> keras.Model:
    """uint8 images [B, 32, 32, 3] -> logits [B, 10]."""
    stages = [
        BlockArgs(i, o, m if candidate.mixed else k, s, num_repeat=r, expand_ratio=e, se_ratio=0.25)
        for r, k, m, s, e, i, o in STAGES
    ]
    images = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 64, -2.0)(images)
    if scale.magnification > 1:
        scaled = keras.layers.UpSampling2D(scale.magnification, interpolation="bilinear")(scaled)
    builder = EfficientNetBuilder(
        input_tensor=scaled,
        classes=10,
        drop_connect_rate=0.1,
        activation=candidate.activation,
        norm=Norm(candidate.norm, placement=candidate.placement, init=candidate.init),
        squeeze_excite=candidate.squeeze_excite,
        batch_norm_momentum=0.9,  # the statistics must follow within a small budget
        classifier_activation=None,
    )
    return builder.custom_model(stages, scale.width, scale.depth, dropout_rate=0.2, head_filters=640)


def run(
    candidate: Candidate, seed: int, rate: float, train: Images, kept: Images, given: argparse.Namespace
) -> dict[str, Any]:
    """Trains once, and measures the accuracy once, on the kept images."""
    keras.utils.clear_session()  # otherwise the graphs of all runs stay in memory
    keras.utils.set_random_seed(seed)
    model = network(candidate, SHORT if given.short else FULL)
    batches = Batches(train.images, train.classes, given.batch, seed)
    warmup_epochs = min(3, given.budget / 10) if candidate.warmup else 0
    schedule = build_schedule(
        "cosine", rate, steps_per_epoch=len(batches), epochs=given.budget, warmup_epochs=warmup_epochs
    )
    decay: dict[str, Any] = {"weight_decay": given.decay, "exclude_from_weight_decay": NOT_DECAYED}
    name = candidate.optimizer
    specification = (
        {"name": name, "inner": {"name": "adam", **decay}} if name == "lookahead" else {"name": name} | decay
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile(build_optimizer(specification, schedule), loss)
    start = time.perf_counter()
    model.fit(batches, epochs=given.budget, verbose=given.verbose)
    seconds = time.perf_counter() - start
    guesses = model.predict(kept.images, batch_size=min(500, len(kept.images)), verbose=0).argmax(1)
    return {
        "accuracy": float(np.mean(guesses == kept.classes)),
        "seconds": round(seconds, 1),
        "parameters": model.count_params(),
    }


class Study:
    """The runs of a study. Those that are in the file of results are not repeated."""

    def __init__(self, data: tuple[Images, Images, Images], given: argparse.Namespace) -> None:
        self.train, self.validation, self.final = data
        self.given = given
        self.settings = {
            name: getattr(given, name) for name in ("budget", "batch", "decay", "precision", "short", "images")
        }
        self.end = time.monotonic() + 60 * given.minutes

    def lines(self, candidate: Candidate, **which: Any) -> list[dict[str, Any]]:
        """Returns the results of a candidate so far, including those of other processes."""
        wanted = {**self.settings, **asdict(candidate), **which}
        return [line for line in read_lines(self.given.results) if wanted.items() <= line.items()]

    def best_rate(self, candidate: Candidate) -> float | None:
        """Returns the learning rate with the best accuracy on the validation images; None before the first search."""
        found = self.lines(candidate, part="search")
        return max(found, key=lambda line: line["accuracy"])["rate"] if found else None

    def measure(self, name: str, candidate: Candidate) -> None:
        """Searches the learning rate, and runs the candidate with every seed."""
        rates = list(self.given.rates)
        for rate in rates:  # which grows
            self._once(name, candidate, "search", SEARCH_SEED, rate)
            best = self.best_rate(candidate) or rate
            if rate == rates[-1] and best in (min(rates), max(rates)):
                rates.append(best / 2 if best == min(rates) else best * 2)
        for seed in self.given.seeds:
            self._once(name, candidate, "final", seed, best)

    def _once(self, name: str, candidate: Candidate, part: str, seed: int, rate: float) -> None:
        which = {"part": part, "seed": seed, "rate": rate}
        if self.lines(candidate, **which):
            return
        if time.monotonic() > self.end:
            raise SystemExit(f"{self.given.minutes:g} minutes are over; run the command again to go on")
        kept = self.validation if part == "search" else self.final
        result = run(candidate, seed, rate, self.train, kept, self.given)
        with self.given.results.open("a") as results:
            results.write(json.dumps({**self.settings, **asdict(candidate), **which, **result}) + "\n")
        print(f"{name}, {part}, rate {rate:g}, seed {seed}: {result['accuracy']:.2%}", flush=True)

    def final_runs(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Returns the runs with the best learning rate."""
        return self.lines(candidate, part="final", rate=self.best_rate(candidate))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="cifar10-train.tar.xz, or its extracted folder")
    parser.add_argument("--budget", type=int, help="epochs per run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="each candidate runs once per seed")
    parser.add_argument("--only", nargs="*", choices=CANDIDATES, help="run only these candidates")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rates", type=float, nargs="+", help="the learning rates to search, at least four")
    parser.add_argument("--images", type=int, help="use only this many images, to try the script")
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after this time; a later call goes on")
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16, for a GPU")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "ablation.jsonl")
    parser.add_argument("--short", action="store_true", help="a small network and a small budget, for a CPU")
    parser.add_argument("--verbose", type=int, default=0)
    given = parser.parse_args()
    scale = SHORT if given.short else FULL
    given.budget, given.batch = given.budget or scale.epochs, given.batch or scale.batch
    keras.config.set_dtype_policy(given.precision)

    given.rates = given.rates or RATES[given.short]
    images, classes = read_images(given.data)
    some = np.random.default_rng(1).permutation(len(images))[: given.images]
    study = Study(split(images[some], classes[some]), given)
    candidates = {name: CANDIDATES[name] for name in given.only or CANDIDATES}
    for name, candidate in candidates.items():
        study.measure(name, candidate)
    if best := combined(study, candidates):
        candidates[COMBINED] = best
        study.measure(COMBINED, best)
        print(f"{COMBINED}: {best}")
    print(f"\n{keras.backend.backend()}, {study.settings}\n\n{table(study, candidates)}")


if __name__ == "__main__":
    main()
