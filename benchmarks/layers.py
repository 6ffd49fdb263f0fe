"""Compares our layers with alternatives, interleaved in one run, and prints ratios.

    python benchmarks/layers.py [mixed] [blocks] [normalizations] [--rounds 7] [--clock wall]

mixed: forms of the mixed depthwise convolution, relative to the obvious one (split, convolve, concatenate).
blocks: a training step of an inverted residual block with AN and with IEBN, relative to the same block with BN; and the
    block as keras.applications writes it.
normalizations: a training step of the normalization layers, relative to Keras's BN.

KERAS_BACKEND chooses the backend. A round calls every candidate once. The result is the best round. On a machine that
other programs use, `--clock cpu` measures processor time instead of elapsed time.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.layers import (
    AttentiveNormalization,
    BatchNormalization,
    GroupedPointwiseConv2D,
    InstanceEnhancementBatchNormalization,
    MixedDepthwiseConv2D,
    SqueezeExcite,
    Swish,
    normalization,
)

# (batch, height, width, channels), from the first stage to the last
MAPS = ((8, 112, 112, 32), (8, 56, 56, 144), (8, 28, 28, 240), (8, 14, 14, 672), (8, 7, 7, 1152))
KERNELS = ((3, 5), (3, 5, 7), (3, 5, 7, 9))
# Input map and depthwise kernel size of blocks of EfficientNetB0.
BLOCKS = (
    ((8, 112, 112, 16), 3),
    ((8, 56, 56, 24), 3),
    ((8, 28, 28, 40), 5),
    ((8, 14, 14, 112), 5),
    ((8, 7, 7, 192), 5),
)

Candidates = dict[str, Callable[[], Any]]
Clock = Callable[[], float]

CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}


def training_step(layers: Sequence[keras.layers.Layer], inputs: np.ndarray) -> Callable[[], Any]:
    """Returns a function that runs the layer forward and backward, to every weight and the inputs."""
    model = keras.Sequential([keras.Input(inputs.shape[1:]), *layers])
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_step(model, inputs)
    return _jax_step(model, inputs)


def _tensorflow_step(model: keras.Model, inputs: np.ndarray) -> Callable[[], Any]:
    import tensorflow as tf

    x = tf.constant(inputs)
    weight = tf.random.normal(model.compute_output_shape(inputs.shape))

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(model(x, training=True) * weight)
        return tape.gradient(loss, [x, *(variable.value for variable in model.trainable_variables)])

    return lambda: [gradient.shape for gradient in step()]


def _jax_step(model: keras.Model, inputs: np.ndarray) -> Callable[[], Any]:
    import jax

    x = jax.numpy.asarray(inputs)
    weight = jax.random.normal(jax.random.PRNGKey(0), model.compute_output_shape(inputs.shape))

    def loss(trainable: Any, fixed: Any, x: Any) -> Any:
        outputs, fixed = model.stateless_call(trainable, fixed, x, training=True)
        return (outputs * weight).sum(), fixed

    step = jax.jit(jax.value_and_grad(loss, argnums=(0, 2), has_aux=True))
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]
    return lambda: jax.block_until_ready(step(trainable, fixed, x))


def best_times(candidates: Candidates, rounds: int, clock: Clock) -> dict[str, float]:
    """Returns the seconds of each candidate's best round. Every round runs every candidate."""
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


def report(title: str, candidates: Candidates, rounds: int, clock: Clock) -> None:
    """Prints milliseconds, and ratios to the first candidate."""
    times = best_times(candidates, rounds, clock)
    reference = next(iter(times.values()))
    cells = "   ".join(f"{name} {1e3 * t:.1f} ms, x{t / reference:.2f}" for name, t in times.items())
    print(f"{title:42} {cells}", flush=True)


class ObviousDepthwise(MixedDepthwiseConv2D):
    """Splits, convolves each group with Keras's depthwise convolution, and concatenates."""

    def call(self, inputs: Any) -> Any:
        parts = keras.ops.split(inputs, np.cumsum(self.groups)[:-1].tolist(), axis=-1)
        return keras.ops.concatenate(
            [
                keras.ops.depthwise_conv(part, kernel, self.strides, self.padding, self.data_format)
                for part, kernel in zip(parts, self.kernels, strict=True)
            ],
            axis=-1,
        )


class PaddedDepthwise(MixedDepthwiseConv2D):
    """Another form: one convolution with every kernel zero-padded to the largest size."""

    def call(self, inputs: Any) -> Any:
        size = max(self.kernel_size)
        margins = [(size - kernel) // 2 for kernel in self.kernel_size]
        padded = [
            keras.ops.pad(kernel, ((margin, margin), (margin, margin), (0, 0), (0, 0)))
            for kernel, margin in zip(self.kernels, margins, strict=True)
        ]
        kernel = keras.ops.concatenate(padded, axis=2)
        return keras.ops.depthwise_conv(inputs, kernel, self.strides, self.padding, self.data_format)


def mixed(rounds: int, clock: Clock) -> None:
    for shape in MAPS:
        inputs = np.random.default_rng(0).standard_normal(shape, "float32")
        for kernels in KERNELS:
            for strides in (1, 2):
                report(
                    f"mixed {kernels} stride {strides} {shape}",
                    {
                        "obvious": training_step([ObviousDepthwise(kernels, strides)], inputs),
                        "ours": training_step([MixedDepthwiseConv2D(kernels, strides)], inputs),
                        "padded": training_step([PaddedDepthwise(kernels, strides)], inputs),
                        f"plain {max(kernels)}": training_step([MixedDepthwiseConv2D(max(kernels), strides)], inputs),
                    },
                    rounds,
                    clock,
                )


def block(kind: str, filters: int, kernel_size: int) -> list[keras.layers.Layer]:
    """Expands by 6, convolves depthwise, squeezes and excites, and projects, without the shortcut."""
    return [
        GroupedPointwiseConv2D(6 * filters),
        normalization(kind),
        Swish(),
        MixedDepthwiseConv2D(kernel_size),
        normalization(kind),
        Swish(),
        SqueezeExcite(0.25, input_filters=filters),
        GroupedPointwiseConv2D(filters),
        normalization(kind),
    ]


def keras_block(x: Any, filters: int, kernel_size: int) -> Any:
    """The same block as keras.applications writes it."""
    for layer in (
        keras.layers.Conv2D(6 * filters, 1, padding="same", use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.Activation("swish"),
        keras.layers.DepthwiseConv2D(kernel_size, padding="same", use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.Activation("swish"),
    ):
        x = layer(x)
    gate = keras.layers.GlobalAveragePooling2D()(x)
    gate = keras.layers.Reshape((1, 1, 6 * filters))(gate)
    gate = keras.layers.Conv2D(max(1, filters // 4), 1, activation="swish")(gate)
    x = keras.layers.multiply([x, keras.layers.Conv2D(6 * filters, 1, activation="sigmoid")(gate)])
    x = keras.layers.Conv2D(filters, 1, padding="same", use_bias=False)(x)
    return keras.layers.BatchNormalization()(x)


def blocks(rounds: int, clock: Clock) -> None:
    for shape, kernel_size in BLOCKS:
        inputs = np.random.default_rng(0).standard_normal(shape, "float32")
        image = keras.Input(shape[1:])
        in_keras = keras.Model(image, keras_block(image, shape[-1], kernel_size))
        candidates = {kind: training_step(block(kind, shape[-1], kernel_size), inputs) for kind in ("bn", "an", "iebn")}
        candidates["Keras's"] = training_step([in_keras], inputs)
        report(f"block k{kernel_size} {shape}", candidates, rounds, clock)


def normalizations(rounds: int, clock: Clock) -> None:
    for shape in MAPS:
        inputs = np.random.default_rng(0).standard_normal(shape, "float32")
        report(
            f"normalization {shape}",
            {
                "Keras's BN": training_step([keras.layers.BatchNormalization()], inputs),
                "BN": training_step([BatchNormalization()], inputs),
                "AN": training_step([AttentiveNormalization()], inputs),
                "AN, hard sigmoid": training_step([AttentiveNormalization(form="hard_sigmoid")], inputs),
                "IEBN": training_step([InstanceEnhancementBatchNormalization()], inputs),
            },
            rounds,
            clock,
        )


def main() -> None:
    parts = {"mixed": mixed, "blocks": blocks, "normalizations": normalizations}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="what to measure (default: everything)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    arguments = parser.parse_args()
    print(f"Keras {keras.__version__} on {keras.backend.backend()}")
    for name in arguments.parts or parts:
        parts[name](arguments.rounds, CLOCKS[arguments.clock])


if __name__ == "__main__":
    main()
