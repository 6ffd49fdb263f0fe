"""Compares our layers with alternatives, interleaved in one run, and prints ratios.

    python benchmarks/layers.py [mixed] [blocks] [normalizations] [--rounds 7] [--clock wall] [--batch 8]
                                [--precision float32] [--few] [--json]

mixed: forms of the mixed depthwise convolution, relative to the obvious one (split, convolve, concatenate). timm's is
    among them if PyTorch and timm are installed.
blocks: a training step of an inverted residual block with AN and with IEBN, relative to the same block with BN; and the
    block as keras.applications writes it.
normalizations: a training step of the normalization layers, relative to Keras's BN.

KERAS_BACKEND chooses the backend. A round calls every candidate once. The result is the best round. On a machine that
other programs use, `--clock cpu` measures processor time instead of elapsed time.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Sequence
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

# Sides and channels, from the first stage to the last.
MAPS = ((112, 32), (56, 144), (28, 240), (14, 672), (7, 1152))
KERNELS = ((3, 5), (3, 5, 7), (3, 5, 7, 9))
# Input side and channels, and depthwise kernel size, of blocks of EfficientNetB0.
BLOCKS = ((112, 16, 3), (56, 24, 3), (28, 40, 5), (14, 112, 5), (7, 192, 5))

Candidates = dict[str, Callable[[], Any]]
Comparisons = Iterator[tuple[str, Candidates]]  # a title, and what is compared with the first candidate
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


def report(title: str, times: dict[str, float], as_json: bool) -> None:
    """Prints milliseconds, and ratios to the first candidate."""
    against, reference = next(iter(times.items()))
    if as_json:
        for name, t in times.items():
            line = {"name": title, "candidate": name, "value": 1e3 * t, "against": against, "ratio": t / reference}
            print(json.dumps(line), flush=True)
        return
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


def timms_step(kernels: tuple[int, ...], strides: int, inputs: np.ndarray) -> Callable[[], Any]:
    """Returns a function that runs timm's compiled layer forward and backward."""
    import torch
    from timm.layers import MixedConv2d

    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if "bfloat16" in keras.config.dtype_policy().name else torch.float32
    channels = inputs.shape[-1]
    layer = MixedConv2d(channels, channels, list(kernels), stride=strides, depthwise=True)
    layer = torch.compile(layer.to(device, kind, memory_format=torch.channels_last))
    x = torch.from_numpy(inputs).to(device, kind).permute(0, 3, 1, 2).requires_grad_()  # as channels_last
    weight = torch.ones_like(layer(x))

    def step() -> None:
        x.grad = None
        layer(x).backward(weight)
        if device == "cuda":
            torch.cuda.synchronize()

    return step


def draw(batch: int, side: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((batch, side, side, channels), "float32")


def mixed(batch: int, few: bool) -> Comparisons:
    has_timm = all(map(importlib.util.find_spec, ("torch", "timm")))
    for side, channels in MAPS[1:4] if few else MAPS:
        inputs = draw(batch, side, channels)
        for kernels in KERNELS[1:2] if few else KERNELS:
            for strides in (1,) if few else (1, 2):
                candidates = {
                    "obvious": training_step([ObviousDepthwise(kernels, strides)], inputs),
                    "ours": training_step([MixedDepthwiseConv2D(kernels, strides)], inputs),
                }
                if not few:
                    candidates["padded"] = training_step([PaddedDepthwise(kernels, strides)], inputs)
                    plain = MixedDepthwiseConv2D(max(kernels), strides)
                    candidates[f"plain {max(kernels)}"] = training_step([plain], inputs)
                if has_timm:
                    candidates["timm"] = timms_step(kernels, strides, inputs)
                yield f"mixed {kernels} stride {strides} {inputs.shape}", candidates


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


def blocks(batch: int, few: bool) -> Comparisons:
    for side, channels, kernel_size in BLOCKS:
        inputs = draw(batch, side, channels)
        image = keras.Input(inputs.shape[1:])
        in_keras = keras.Model(image, keras_block(image, channels, kernel_size))
        candidates = {kind: training_step(block(kind, channels, kernel_size), inputs) for kind in ("bn", "an", "iebn")}
        if not few:
            candidates["Keras's"] = training_step([in_keras], inputs)
        yield f"block k{kernel_size} {inputs.shape}", candidates


def normalizations(batch: int, few: bool) -> Comparisons:
    for side, channels in MAPS[1:4] if few else MAPS:
        inputs = draw(batch, side, channels)
        candidates = {
            "Keras's BN": training_step([keras.layers.BatchNormalization()], inputs),
            "BN": training_step([BatchNormalization()], inputs),
            "AN": training_step([AttentiveNormalization()], inputs),
            "AN, hard sigmoid": training_step([AttentiveNormalization(form="hard_sigmoid")], inputs),
            "IEBN": training_step([InstanceEnhancementBatchNormalization()], inputs),
        }
        yield f"normalization {inputs.shape}", candidates


def main() -> None:
    parts = {"mixed": mixed, "blocks": blocks, "normalizations": normalizations}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="what to measure (default: everything)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16, for a GPU")
    parser.add_argument("--few", action="store_true", help="only a few shapes")
    parser.add_argument("--json", action="store_true", help="print lines of JSON")
    arguments = parser.parse_args()
    keras.config.set_dtype_policy(arguments.precision)
    if not arguments.json:
        print(f"Keras {keras.__version__} on {keras.backend.backend()}")
    for part in arguments.parts or parts:
        for title, candidates in parts[part](arguments.batch, arguments.few):
            report(title, best_times(candidates, arguments.rounds, CLOCKS[arguments.clock]), arguments.json)


if __name__ == "__main__":
    main()
