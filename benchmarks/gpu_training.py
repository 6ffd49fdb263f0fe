"""Compares training on a GPU with timm's networks: images per second and memory.

Our networks train with mixed_bfloat16 on the backend in KERAS_BACKEND; on JAX, the compiled step alone. timm's networks
train with torch.compile, bfloat16 autocast and channels_last. Batch size, image size, dropout rates and SGD with
momentum are the same, and the batch is on the device. Each training run has its own process, and the runs take turns.
The result is the median of the rounds. `largest` doubles the batch size until it no longer fits. A framework that is
not installed is left out.

    python benchmarks/gpu_training.py [--networks B0 MixNetS] [--batches 256 largest] [--size 224] [--steps 30]
                                      [--rounds 3]
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

CLASSES = 1000
TIMM = {"B0": "tf_efficientnet_b0", "MixNetS": "tf_mixnet_s", "MixNetM": "tf_mixnet_m", "B4": "tf_efficientnet_b4"}
FULL = ("out of memory", "RESOURCE_EXHAUSTED", "OOM")  # in the messages of CUDA, XLA and TensorFlow

Step = Callable[[], Any]
Wait = Callable[[], None]  # until the device has finished all steps
Peak = Callable[[], "int | None"]  # bytes


def ours(network: str, batch: int, size: int) -> tuple[Step, Wait, Peak]:
    """Returns a Keras training step, and functions that wait for it and return the peak device memory."""
    import keras

    from efficientmixnet.modules.network import EfficientNetBuilder

    keras.config.set_dtype_policy("mixed_bfloat16")
    model = EfficientNetBuilder((size, size, 3), classes=CLASSES).default_model(network)
    optimizer = keras.optimizers.SGD(1e-3, momentum=0.9)
    if keras.backend.backend() == "jax":
        from jax_step import JaxStep

        optimizer.build(model.trainable_variables)
        compiled = JaxStep(model, optimizer, *constant_batch(batch, size))
        return compiled.start, compiled.wait, jax_peak
    model.compile(optimizer, "sparse_categorical_crossentropy")
    images, labels = (keras.ops.convert_to_tensor(one) for one in constant_batch(batch, size))

    def peak() -> int | None:
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            on_gpu = tf.config.list_physical_devices("GPU")
            return tf.config.experimental.get_memory_info("GPU:0")["peak"] if on_gpu else None
        return cuda_peak()

    return lambda: model.train_on_batch(images, labels), lambda: None, peak


def jax_peak() -> int | None:
    import jax

    statistics = jax.local_devices()[0].memory_stats()
    return statistics and statistics["peak_bytes_in_use"]


def timms(network: str, batch: int, size: int) -> tuple[Step, Wait, Peak]:
    """Returns a PyTorch training step, and functions that wait for it and return the peak device memory."""
    import timm
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    plain = timm.create_model(TIMM[network], num_classes=CLASSES, drop_rate=0.2, drop_path_rate=0.2)
    model = torch.compile(plain.train().to(device, memory_format=torch.channels_last))
    optimizer = torch.optim.SGD(plain.parameters(), 1e-3, momentum=0.9)
    of_rows, labels = (torch.from_numpy(one).to(device) for one in constant_batch(batch, size))
    images = of_rows.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()

    return step, torch.cuda.synchronize if device == "cuda" else lambda: None, cuda_peak


def cuda_peak() -> int | None:
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def constant_batch(batch: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    return draw.random((batch, size, size, 3), "float32"), draw.integers(0, CLASSES, batch)


def measure(framework: str, network: str, batch: int, size: int, steps: int) -> dict[str, float | None]:
    """Returns images per second and bytes of memory per image, measured in this process.

    With no steps it only compiles, which fills the caches of JAX and PyTorch.
    """
    step, wait, peak = {"ours": ours, "timm": timms}[framework](network, batch, size)
    if steps == 0:
        if framework == "timm":  # PyTorch compiles in the first step
            step()
        return {"rate": None, "memory": None}
    for _ in range(3):  # warm up: trace and compile
        step()
    wait()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    wait()
    seconds, held = time.perf_counter() - began, peak()
    return {"rate": batch * steps / seconds, "memory": held and held / batch}


def measured_apart(*arguments: str | int) -> dict[str, float | None] | None:
    """Measures in a new process. Returns None if the batch does not fit.

    Raises:
        RuntimeError: it failed for another reason.
    """
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    if any(words in done.stderr for words in FULL):
        return None
    raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr.strip().splitlines()[-1:]}")


def largest(framework: str, network: str, size: int) -> int:
    """Returns the largest batch size that fits, a power of two."""
    batch = 256
    while measured_apart(framework, network, 2 * batch, size, 1):
        batch *= 2
    return batch


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        framework, network, *numbers = sys.argv[2:]
        print(json.dumps(measure(framework, network, *map(int, numbers))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["B0", "MixNetS"], choices=TIMM)
    parser.add_argument("--batches", nargs="+", default=["256", "largest"])
    parser.add_argument("--size", type=int, default=224, help="pixels")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    frameworks = ["ours"]
    if all(map(importlib.util.find_spec, ("torch", "timm"))):
        frameworks.append("timm")
    else:
        print("torch and timm are not both installed: only our networks run")
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    table = Table("network", "batch", "of", "images/s", "MB an image", "ours / timm", title=f"Keras on {backend}")
    for network in arguments.networks:
        for wish in arguments.batches:
            batches = {
                of: largest(of, network, arguments.size) if wish == "largest" else int(wish) for of in frameworks
            }
            rates: dict[str, list[float]] = {of: [] for of in frameworks}
            memory = {}
            for _ in range(arguments.rounds):
                for of, batch in batches.items():
                    found = measured_apart(of, network, batch, arguments.size, arguments.steps)
                    if found:
                        rates[of].append(found["rate"] or 0.0)
                        memory[of] = found["memory"]
            for of, batch in batches.items():
                rate = median(rates[of]) if rates[of] else None
                both = rate is not None and bool(rates.get("timm"))
                table.add_row(
                    network,
                    str(batch),
                    of,
                    f"{rate:,.1f}" if rate is not None else "does not fit",
                    f"{memory[of] / 1e6:.1f}" if memory.get(of) else "",
                    f"{rate / median(rates['timm']):.2f}" if of == "ours" and both else "",
                )
    Console().print(table)


if __name__ == "__main__":
    main()
