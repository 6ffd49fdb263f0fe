"""An ablation study on CIFAR-10: does each part help a small EfficientMixNet, at equal budgets?

    KERAS_BACKEND=jax python benchmarks/ablation.py --data cifar10-train.tar.xz --precision mixed_bfloat16   on a GPU
    python benchmarks/ablation.py --data cifar10-train.tar.xz --short                                       on a CPU

Each candidate changes one part of the plain network (one kernel size per block, swish, BN, Adam). Data, order,
augmentation, steps, schedule and weight decay are the same for all. A tenth of the training images, the same number of
each class, is held out and evaluated once, after the last step. The table has the mean and standard deviation over the
seeds. A difference counts if it is larger than three standard errors, with the deviation pooled over all candidates:
with 14 degrees of freedom this gives one false alarm in twenty for six comparisons together. Results are appended to
--results, and a run that is already there is skipped, so several processes can share the work. `--short` is for a CPU:
a network of 50,000 weights and four epochs.
"""

import argparse
import io
import json
import math
import statistics
import tarfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from efficientmixnet.modules.network import BlockArgs, EfficientNetBuilder
from efficientmixnet.modules.optimizers import build_optimizer
from efficientmixnet.modules.optimizers.schedules import build_schedule

SIDE, PAD, ERASED = 32, 4, 8
NOT_DECAYED = ["bias", "gamma", "beta"]


@dataclass(frozen=True)
class Candidate:
    """The parts that vary."""

    mixed: bool = False
    activation: str = "swish"
    norm: str = "bn"
    optimizer: str = "adam"


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
    "iebn": replace(PLAIN, norm="iebn"),
    "RAdam": replace(PLAIN, optimizer="radam"),
    "Lookahead + RAdam": replace(PLAIN, optimizer="ranger"),
}

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
        typeBN=candidate.norm,
        batch_norm_momentum=0.9,  # the statistics must follow within a small budget
        classifier_activation=None,
    )
    return builder.custom_model(stages, scale.width, scale.depth, dropout_rate=0.2, head_filters=640)


def read_images(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads one folder per class, packed or not. Returns images uint8 [N, 32, 32, 3] and classes int [N]."""
    files: Iterator[tuple[str, bytes]]
    if path.is_dir():
        files = ((file.parent.name, file.read_bytes()) for file in sorted(path.glob("**/*.jpg")))
    else:
        archive = tarfile.open(path)  # noqa: SIM115
        members = (member for member in archive if member.name.endswith(".jpg"))
        files = ((Path(member.name).parent.name, archive.extractfile(member).read()) for member in members)  # type: ignore[union-attr]
    names, images = [], []
    for name, content in files:
        names.append(name)
        images.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
    return np.stack(images), np.unique(names, return_inverse=True)[1]


def split(images: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Splits off a tenth of each class for validation. The split does not depend on the seed."""
    order = np.random.default_rng(0).permutation(len(images))
    order = order[np.argsort(classes[order], kind="stable")]
    kept = np.arange(len(order)) % 10 == 0
    return images[order[~kept]], classes[order[~kept]], images[order[kept]], classes[order[kept]]


class Batches(keras.utils.PyDataset):
    """Batches of shifted, flipped and partly erased images. The seed and the epoch determine them."""

    def __init__(self, images: np.ndarray, classes: np.ndarray, batch: int, seed: int) -> None:
        super().__init__()
        edges = ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0))
        padded = np.pad(images, edges, mode="reflect")
        self.windows = sliding_window_view(sliding_window_view(padded, SIDE, 1), SIDE, 2)  # [N, 9, 9, 3, 32, 32]
        self.classes, self.batch, self.seed = classes, batch, seed
        self.epoch = -1
        self.on_epoch_begin()

    def __len__(self) -> int:
        return len(self.classes) // self.batch

    def on_epoch_begin(self) -> None:
        self.epoch += 1
        self.order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.classes))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        draw = np.random.default_rng([self.seed, self.epoch, index])
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        down, right = draw.integers(0, 2 * PAD + 1, (2, self.batch))
        images = self.windows[chosen, down, right].transpose(0, 2, 3, 1)  # [B, 32, 32, 3]
        mirrored = draw.random(self.batch) < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        top, left = draw.integers(0, SIDE - ERASED + 1, (2, self.batch, 1))
        rows, columns = ((np.arange(SIDE) >= at) & (np.arange(SIDE) < at + ERASED) for at in (top, left))
        images[rows[:, :, None] & columns[:, None, :]] = 128
        return images, np.eye(10, dtype="float32")[self.classes[chosen]]


def run(candidate: Candidate, seed: int, data: tuple, given: argparse.Namespace) -> dict[str, Any]:
    """Trains once and evaluates once."""
    images, classes, kept_images, kept_classes = data
    keras.utils.clear_session()  # otherwise the graphs of all runs stay in memory
    keras.utils.set_random_seed(seed)
    model = network(candidate, SHORT if given.short else FULL)
    batches = Batches(images, classes, given.batch, seed)
    schedule = build_schedule(
        "cosine", given.rate, steps_per_epoch=len(batches), epochs=given.budget, warmup_epochs=min(3, given.budget / 10)
    )
    name = candidate.optimizer
    optimizer = build_optimizer(
        {"name": name, "weight_decay": given.decay, "exclude_from_weight_decay": NOT_DECAYED}, schedule
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile(optimizer, loss)
    start = time.perf_counter()
    model.fit(batches, epochs=given.budget, verbose=given.verbose)
    seconds = time.perf_counter() - start
    guesses = model.predict(kept_images, batch_size=500, verbose=0).argmax(1)
    return {
        **asdict(candidate),
        "seed": seed,
        "accuracy": float(np.mean(guesses == kept_classes)),
        "seconds": round(seconds, 1),
        "parameters": model.count_params(),
    }


def read_lines(results: Path) -> list[dict[str, Any]]:
    """Returns the results so far, including those of other processes."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def table(lines: list[dict[str, Any]]) -> str:
    """Returns the mean and deviation of every candidate, and the differences from the plain one that count."""
    runs = {
        name: [line for line in lines if asdict(candidate).items() <= line.items()]
        for name, candidate in CANDIDATES.items()
    }
    accuracies = {name: [100 * each["accuracy"] for each in of_one] for name, of_one in runs.items() if of_one}
    means = {name: statistics.mean(values) for name, values in accuracies.items()}
    several = [values for values in accuracies.values() if len(values) > 1]
    freedom = sum(len(values) - 1 for values in several)
    pooled = sum((len(values) - 1) * statistics.variance(values) for values in several) / freedom if freedom else None
    rows = [
        "| changed | accuracy, % | difference | counts | runs | weights |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    plain = next(iter(CANDIDATES))
    for name, values in accuracies.items():
        deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        difference, counts = "", ""
        if name != plain and plain in means:
            difference = f"{means[name] - means[plain]:+.2f}"
            if pooled is not None:
                error = math.sqrt(pooled * (1 / len(values) + 1 / len(accuracies[plain])))
                counts = "yes" if abs(means[name] - means[plain]) > 3 * error else "no"
        rows.append(
            f"| {name} | {means[name]:.2f}{deviation} | {difference} | {counts} | {len(values)} "
            f"| {runs[name][0]['parameters']:,} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="cifar10-train.tar.xz, or its extracted folder")
    parser.add_argument("--budget", type=int, help="epochs per run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="each candidate runs once per seed")
    parser.add_argument("--only", nargs="*", choices=CANDIDATES, help="run only these candidates")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16, for a GPU")
    parser.add_argument("--results", type=Path, default=Path("ablation.jsonl"))
    parser.add_argument("--short", action="store_true", help="a small network and a small budget, for a CPU")
    parser.add_argument("--verbose", type=int, default=0)
    given = parser.parse_args()
    scale = SHORT if given.short else FULL
    given.budget, given.batch = given.budget or scale.epochs, given.batch or scale.batch
    keras.config.set_dtype_policy(given.precision)

    settings = {name: getattr(given, name) for name in ("budget", "batch", "rate", "decay", "precision", "short")}
    data = split(*read_images(given.data))
    for seed in given.seeds:  # seed by seed, so that a stopped study has compared all candidates
        for name in given.only or CANDIDATES:
            what = {**settings, **asdict(CANDIDATES[name]), "seed": seed}
            if any(what.items() <= line.items() for line in read_lines(given.results)):
                continue
            line = {**settings, **run(CANDIDATES[name], seed, data, given)}
            with given.results.open("a") as results:
                results.write(json.dumps(line) + "\n")
            print(f"{name}, seed {seed}: {line['accuracy']:.2%} in {line['seconds']:.0f} s", flush=True)
    lines = [line for line in read_lines(given.results) if settings.items() <= line.items()]
    print(f"\n{keras.backend.backend()}, {settings}\n\n{table(lines)}")


if __name__ == "__main__":
    main()
