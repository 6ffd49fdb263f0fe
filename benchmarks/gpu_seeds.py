"""Measures whether several runs of the ablation train faster in one program than one after another.

    KERAS_BACKEND=jax python benchmarks/gpu_seeds.py [--together 4] [--precision mixed_bfloat16] [--epochs 4]

The plain network of ablation.py trains on random images of CIFAR-10's size. The result is the median of the epochs
after the first, in images per second of all runs. Both lines are JSON.
"""

import argparse
import json
from statistics import median

import keras
import numpy as np
from ablation_candidates import FULL, PLAIN, SHORT
from ablation_networks import network, optimizer
from cifar_images import SIDE, Images
from device_training import CLASSES, DeviceTraining, Run
from gpu_measurements import SEPARATE, TOGETHER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--together", type=int, default=4, help="runs in one program")
    parser.add_argument("--images", type=int, default=45_000, help="as many as the ablation has for training")
    parser.add_argument("--trained", type=int, default=40_000, help="how many of them train")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--short", action="store_true", help="the network for a CPU")
    given = parser.parse_args()
    keras.config.set_dtype_policy(given.precision)
    scale = SHORT if given.short else FULL
    batch = given.batch or scale.batch
    draw = np.random.default_rng(0)
    data = Images(
        draw.integers(0, 256, (given.images, SIDE, SIDE, 3), "uint8"), draw.integers(0, CLASSES, given.images)
    )
    steps = given.trained // batch

    def prepared(together: int) -> DeviceTraining:
        return DeviceTraining(
            lambda: network(PLAIN, scale), lambda: optimizer(PLAIN, scale.decay, 1.0), data, batch, steps, together
        )

    for name, runs in ((SEPARATE, 1), (TOGETHER, given.together)):
        training = prepared(runs)
        members = [Run(seed, np.full(steps * given.epochs, 0.001, "float32")) for seed in range(runs)]
        training.train(members, given.trained, given.epochs)
        seconds = median(training.epoch_seconds[1:])  # the first one warms up
        line = {"candidate": name, "value": runs * steps * batch / seconds, "unit": "images/s", "together": runs}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
