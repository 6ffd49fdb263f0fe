"""Compares a training step of EfficientNetB0 with our optimizers to the same step with Keras's Adam.

    python benchmarks/optimizers.py [--batch 8] [--size 224] [--rounds 5] [--precision float32] [--only NAME ...]
                                    [--json]

KERAS_BACKEND chooses the backend. A round runs every optimizer for one period of Lookahead, so that one of its six
steps synchronizes. The order alternates between rounds. The result is the median of the ratios within a round. The
update alone, with given gradients, shows what noise hides in the whole step. Memory is counted in variables.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.optimizers import ConvMuon, Lookahead, RectifiedAdam

PERIOD = 6
OPTIMIZERS: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "adam": lambda: keras.optimizers.Adam(1e-4),
    "radam": lambda: RectifiedAdam(1e-4),
    "lookahead(adam)": lambda: Lookahead(keras.optimizers.Adam(1e-4), PERIOD),
    "lookahead(radam)": lambda: Lookahead(RectifiedAdam(1e-4), PERIOD),
    "convmuon": lambda: ConvMuon(1e-4),
}
RATIOS = [("radam", "adam"), ("lookahead(adam)", "adam"), ("lookahead(radam)", "radam"), ("convmuon", "adam")]


def tensorflow_steps(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, images: np.ndarray, labels: np.ndarray
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Returns a whole training step and the update alone."""
    import tensorflow as tf

    given = [tf.fill(variable.shape, 1e-3) for variable in model.trainable_variables]
    x, y = tf.constant(images), tf.constant(labels)  # captured tensors are not folded as constants
    xla = bool(tf.config.list_physical_devices("GPU"))  # as Keras decides

    @tf.function(jit_compile=xla)
    def update() -> None:
        optimizer.apply(given)

    @tf.function(jit_compile=xla)
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables))

    def finished(function: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: (function(), np.array(optimizer.iterations))

    return finished(step), finished(update)


def jax_steps(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, images: np.ndarray, labels: np.ndarray
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Returns a whole training step and the update alone. Weights and state are donated, as Keras does."""
    import jax
    from jax_step import JaxStep

    given = [jax.numpy.full(variable.shape, 1e-3) for variable in model.trainable_variables]

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(weights: list, state: list, gradients: list) -> tuple[list, list]:
        return optimizer.stateless_apply(state, gradients, weights)

    held = [
        [jax.numpy.array(variable.value) for variable in variables]
        for variables in (model.trainable_variables, optimizer.variables)
    ]

    def finished_update() -> None:
        held[:] = jax.block_until_ready(update(*held, given))

    return JaxStep(model, optimizer, images, labels), finished_update


def seconds(step: Callable[[], Any]) -> float:
    """Returns the mean time of a step over one period."""
    start = time.perf_counter()
    for _ in range(PERIOD):
        step()
    return (time.perf_counter() - start) / PERIOD


def alternating(steps: dict[str, Callable[[], Any]], rounds: int) -> list[dict[str, float]]:
    """Returns the time of every step in every round, after a warm-up step."""
    names = list(steps)
    times = []
    for turn in range(rounds + 1):
        order = names[turn % len(names) :] + names[: turn % len(names)]
        times.append({name: seconds(steps[name]) for name in order})
    return times[1:]


def megabytes(variables: list) -> float:
    return sum(int(np.prod(variable.shape)) * 4 for variable in variables) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16, for a GPU")
    parser.add_argument("--only", nargs="+", choices=OPTIMIZERS, help="measure only these")
    parser.add_argument("--json", action="store_true", help="print lines of JSON instead of a table")
    given = parser.parse_args()
    keras.config.set_dtype_policy(given.precision)
    draw = np.random.default_rng(0)
    images = draw.standard_normal((given.batch, given.size, given.size, 3), "float32")
    labels = draw.integers(0, 1000, given.batch)

    # All optimizers share one network: two equal networks differed by more than the optimizers do.
    model = EfficientNetBuilder(input_shape=images.shape[1:]).default_model("B0")
    optimizers = {name: make() for name, make in OPTIMIZERS.items() if name in (given.only or OPTIMIZERS)}
    pairs = [pair for pair in RATIOS if optimizers.keys() >= set(pair)]
    steps = {}
    for name, optimizer in optimizers.items():
        optimizer.build(model.trainable_variables)
        make_steps = tensorflow_steps if keras.backend.backend() == "tensorflow" else jax_steps
        steps[name] = make_steps(model, optimizer, images, labels)
    whole = alternating({name: step for name, (step, _) in steps.items()}, given.rounds)
    update = alternating({name: update for name, (_, update) in steps.items()}, 4 * given.rounds)
    step_time = statistics.median(times["adam"] for times in whole)

    def ratio(times: list[dict[str, float]], name: str, base: str) -> float:
        return statistics.median(each[name] / each[base] for each in times)

    if given.json:
        for name, base in pairs:
            line = {"candidate": name, "against": base, "ratio": ratio(whole, name, base)}
            print(json.dumps({**line, "value": 1e3 * statistics.median(times[name] for times in whole)}))
        return
    print(f"EfficientNetB0, {given.batch} images of {given.size}, {keras.backend.backend()}: adam {step_time:.3f} s")
    print("| optimizer over | step | update, ms | update's difference over the step |\n| --- | --- | --- | --- |")
    for name, base in pairs:
        mine, other = (statistics.median(times[each] for times in update) for each in (name, base))
        print(
            f"| {name} / {base} | {ratio(whole, name, base):.3f} | {1e3 * mine:.1f} / {1e3 * other:.1f} "
            f"| {(mine - other) / step_time:+.2%} |"
        )
    for name, optimizer in optimizers.items():
        copies = megabytes(optimizer.variables) / megabytes(model.trainable_variables)
        print(f"{name}: {copies:.3f} copies of the weights")


if __name__ == "__main__":
    main()
