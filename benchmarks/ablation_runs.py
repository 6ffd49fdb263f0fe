"""Runs: the trainings of a candidate, by Keras's fit or, on JAX, with all images in the memory of the device."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from ablation_candidates import Candidate, Scale
from ablation_networks import network, operations, optimizer, schedule
from cifar_images import Batches, Images

Result = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The search for a learning rate, or the runs that count."""

    name: str  # search or final
    count: int  # of the images that train: the first ones
    kept: Images  # those that are measured
    epochs: int


@dataclass(frozen=True)
class Setting:
    """What all candidates of a study have in common."""

    scale: Scale
    data: Images  # all that train
    batch: int
    decay: float
    together: int = 1
    verbose: int = 0


Runs = Callable[[Part, Sequence[tuple[int, float]]], list[Result]]  # seeds and learning rates -> results


def prepare_runs(candidate: Candidate, setting: Setting, parts: Sequence[Part]) -> Runs:
    """Returns what trains a candidate. On JAX, this compiles it for all parts."""
    keras.utils.clear_session()  # otherwise the graphs of all candidates stay in memory
    return (_on_device if keras.backend.backend() == "jax" else _with_fit)(candidate, setting, parts)


def _with_fit(candidate: Candidate, setting: Setting, _: Sequence[Part]) -> Runs:
    def run(part: Part, seed: int, rate: float) -> Result:
        keras.utils.clear_session()  # otherwise the graphs of all runs stay in memory
        keras.utils.set_random_seed(seed)
        model = network(candidate, setting.scale)
        train = setting.data[np.arange(part.count)]
        batches = Batches(train.images, train.classes, setting.batch, seed)
        rates = schedule(candidate, rate, len(batches), part.epochs)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        model.compile(optimizer(candidate, setting.decay, rates), loss)
        start = time.perf_counter()
        model.fit(batches, epochs=part.epochs, verbose=setting.verbose)
        seconds = time.perf_counter() - start
        kept = part.kept
        guesses = model.predict(kept.images, batch_size=min(500, len(kept.images)), verbose=0).argmax(1)
        return _result(candidate, setting, part, seconds) | {
            "accuracy": float(np.mean(guesses == kept.classes)),
            "parameters": model.count_params(),
        }

    return lambda part, runs: [run(part, seed, rate) for seed, rate in runs]


def _on_device(candidate: Candidate, setting: Setting, parts: Sequence[Part]) -> Runs:
    from device_training import DeviceTraining, Run

    training = DeviceTraining(
        lambda: network(candidate, setting.scale),
        lambda: optimizer(candidate, setting.decay, 1.0),
        setting.data,
        setting.batch,
        # One program for all parts: its steps divide the epochs of each.
        steps=math.gcd(*(part.count // setting.batch for part in parts)),
        together=setting.together,
    )

    def run(part: Part, runs: Sequence[tuple[int, float]]) -> list[Result]:
        steps = part.count // setting.batch
        every = np.arange(steps * part.epochs)
        members = [
            Run(seed, np.asarray(schedule(candidate, rate, steps, part.epochs)(every), "float32"))
            for seed, rate in runs
        ]
        trained = training.train(members, part.count, part.epochs)
        same = _result(candidate, setting, part, sum(training.epoch_seconds) / len(runs))
        found = [training.guesses(*one, part.kept.images) == part.kept.classes for one in trained]
        return [
            same | {"accuracy": plain, "mirrored": both, "parameters": training.parameters}
            for plain, both in (one.mean(axis=1).tolist() for one in found)
        ]

    return run


def _result(candidate: Candidate, setting: Setting, part: Part, seconds: float) -> Result:
    seen = part.count // setting.batch * setting.batch * part.epochs
    return {"seconds": round(seconds, 1), "operations": operations(candidate, setting.scale, seen)}
