"""Trains a small network: `distributed_training.py KIND NORM RECORDS OUTPUT [STEPS SIGNAL BATCHES]`.

It is a separate program, because devices and workers must be set before TensorFlow starts. KIND is the value of
training.distribution. The weights go to OUTPUT.npz, the logs to OUTPUT.json, and a checkpoint after every step to the
folder OUTPUT. After STEPS steps the process sends itself the SIGNAL. Each update accumulates its eight images in
BATCHES batches.
"""

import json
import os
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.data.batches import Reading
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.distribution.distribution import choose_distribution
from efficientmixnet.modules.distribution.lost_workers import exit_if_worker_lost
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.fit import fit
from efficientmixnet.modules.training.phases import phases

SIDE = 16


class Signalled:
    """A listener that sends the process a signal after some steps, when their checkpoint is written."""

    def __init__(self, steps: int, number: int, checkpoint: Checkpoint) -> None:
        self._left, self._number, self._checkpoint = steps, number, checkpoint

    def start(self, total: int, unit: str) -> None:
        pass

    def advance(self, count: int, figures: progress.Figures) -> None:
        self._left -= count > 0
        if self._left == 0:
            self._checkpoint.folder.wait()
            os.kill(os.getpid(), self._number)

    def tell(self, line: str) -> None:
        print(line, flush=True)


def main(
    kind: str, norm: str, records: str, output: str, steps: str = "0", number: str = "9", batches: str = "1"
) -> None:
    if kind == "none":
        tf.config.experimental.enable_op_determinism()
    if kind == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    config = ModelConfig.model_validate(
        {
            "network": {
                "variant": "custom",
                "blocks": ["r1_k3_s22_e1_i8_o8_se0.25"],
                "stem_filters": 8,
                "head_filters": 16,
                "image_size": SIDE,
                "norm": {"kind": norm, "n_mixture": 2},
                "dropout": 0.0,
                "drop_connect": 0.0,
            },
            "training": {
                "epochs": 4,
                "batch_size": 8 // int(batches),
                "accumulation_steps": int(batches),
                "learning_rate": 0.05,
                # The schedule of one device advances with every batch, that of several devices with every update.
                "schedule": {"name": "cosine" if batches == "1" else "constant"},
                "optimizer": {"name": "lookahead", "inner": {"name": "sgd", "momentum": 0.9}},
                "distribution": kind,
            },
        }
    )
    training = config.training
    distribution = choose_distribution(training.distribution)
    print(distribution.reason)
    keras.utils.set_random_seed(0)
    train, evaluation = Records.find([f"{records}/train*"]), Records.find([f"{records}/eval*"])
    reading = Reading(
        SIDE, 1.0, 3, distribution.batch_size(training, train.count), distribution.worker, distribution.workers
    )
    data = TrainingData(train, evaluation, reading, ["red", "green", "blue"])
    every_step = 1e-9  # minutes
    checkpoint = Checkpoint(output, every_minutes=every_step, worker=distribution.worker, workers=distribution.workers)
    if int(steps):
        progress.listen(Signalled(int(steps), int(number), checkpoint))
    with exit_if_worker_lost(distribution.workers), distribution.scope():
        network = build_model(
            config.network, SIDE, 3, data.steps_per_epoch, [0.5] * 3, [0.25] * 3, distribution.replicas > 1
        )
        model = distribution.model(network)
        (phase,) = phases(config, distribution.learning_rate(training))
        compile_model(model, training, phase, data.steps_per_epoch)
        fit(model, data, training, distribution, checkpoint, phase.epochs, logs=f"{output}-logs")
    name = output + (f"-{distribution.worker}" if distribution.workers > 1 else "")
    np.savez(name, *model.get_weights())
    Path(name + ".json").write_text(json.dumps(checkpoint.history))


if __name__ == "__main__":
    main(*sys.argv[1:])
