"""Compares our EfficientNetB0 with keras.applications', interleaved in one run, and prints ratios.

    python benchmarks/network.py [--batch 8] [--size 224] [--precision float32] [--rounds 5] [--compare MixNetS ...]
                                 [--norm an ...] [--placement all] [--squeeze-excite always never]
                                 [--steps training inference] [--clock wall]

Both models have the same batch size, image size, precision, backend, optimizer and dropout rates. keras.applications'
model also scales the pixels. A step is one call of train_on_batch or predict_on_batch. A round calls every model once.
The result is the best round. On a machine that other programs use, `--clock cpu` measures processor time instead of
elapsed time. `--compare` adds other variants, `--norm` other normalizations of B0, in the places of `--placement`, and
with or without squeeze-excite.

KERAS_BACKEND chooses the backend. JAX compiles a training step for CPUs in minutes, and inference in seconds.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.layers.norm import PLACEMENTS, Norm
from efficientmixnet.modules.network import EfficientNetBuilder, list_variants

CLASSES = 1000
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}

Builders = dict[str, Callable[[], keras.Model]]


def builders(arguments: argparse.Namespace) -> Builders:
    """Returns the models to compare, the reference first."""
    shape = (arguments.size, arguments.size, 3)

    def ours(variant: str = "B0", **options: Any) -> Callable[[], keras.Model]:
        return lambda: EfficientNetBuilder(shape, **options).default_model(variant)

    def theirs() -> keras.Model:
        return keras.applications.EfficientNetB0(weights=None, input_shape=shape)

    with_norms = {
        f"ours B0 {kind}" + ", no squeeze-excite" * (gates == "never"): ours(
            norm=Norm(kind, placement=arguments.placement), squeeze_excite=gates
        )
        for kind in arguments.norm
        for gates in arguments.squeeze_excite
    }
    others = {f"ours {name}": ours(name) for name in arguments.compare}
    return {"keras.applications B0": theirs, "ours B0": ours()} | with_norms | others


def steps(model: keras.Model, batch: int, size: int) -> dict[str, Callable[[], Any]]:
    """Returns one training step and one inference call. Both wait for their results."""
    rng = np.random.default_rng(0)
    images = keras.ops.convert_to_tensor(rng.random((batch, size, size, 3), "float32"))
    labels = keras.ops.convert_to_tensor(rng.integers(0, CLASSES, batch))
    model.compile(keras.optimizers.SGD(1e-3, momentum=0.9), "sparse_categorical_crossentropy")
    return {
        "training": lambda: model.train_on_batch(images, labels),
        "inference": lambda: model.predict_on_batch(images),
    }


def best_seconds(candidates: dict[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    for run in candidates.values():
        run()  # warm up: trace and compile
        run()
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, run in candidates.items():
            start = clock()
            run()
            best[name] = min(best[name], clock() - start)
    return best


def report(title: str, seconds: dict[str, float], images: int | None = None) -> None:
    """Prints the time of each model and its ratio to the reference."""
    reference = next(iter(seconds.values()))
    for name, each in seconds.items():
        rate = f"{images / each:8.1f} images/s" if images else ""
        print(f"{title:10} {name:30} {1e3 * each:9.1f} ms {rate} ratio {each / reference:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--precision", default="float32", choices=["float32", "mixed_bfloat16", "mixed_float16"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--steps", nargs="+", default=["training", "inference"], choices=["training", "inference"])
    parser.add_argument("--compare", nargs="*", default=[], choices=list_variants(), metavar="VARIANT")
    parser.add_argument("--norm", nargs="*", default=[], choices=["an", "iebn"])
    parser.add_argument("--placement", default="all", choices=PLACEMENTS, help="where a network has these norms")
    parser.add_argument("--squeeze-excite", nargs="+", default=["always"], choices=["always", "never"])
    arguments = parser.parse_args()
    keras.config.set_dtype_policy(arguments.precision)
    print(
        f"Keras {keras.__version__} on {keras.backend.backend()}, batch {arguments.batch}, size {arguments.size}, "
        f"{arguments.precision}, best of {arguments.rounds} rounds"
    )

    clock = CLOCKS[arguments.clock]
    models, building = {}, {}
    for name, build in builders(arguments).items():
        start = clock()
        models[name] = build()
        building[name] = clock() - start
    report("build", building)
    for name, model in models.items():
        print(f"{'weights':10} {name:30} {model.count_params():,}")
    timed = {name: steps(model, arguments.batch, arguments.size) for name, model in models.items()}
    for step in arguments.steps:
        seconds = best_seconds({name: runs[step] for name, runs in timed.items()}, arguments.rounds, clock)
        report(step, seconds, arguments.batch)


if __name__ == "__main__":
    main()
