"""Distribution: on which devices a training runs, and why: one device, those of this machine, or several machines."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.distribution.cluster import Cluster
from efficientmixnet.modules.distribution.distributed_model import DistributedModel
from efficientmixnet.modules.distribution.lost_peers import lost_peers_in_words
from efficientmixnet.modules.distribution.rendezvous import wait_for_workers
from efficientmixnet.modules.exceptions import BadInput


@dataclass(frozen=True)
class Distribution:
    """A strategy of TensorFlow, and this process's place in it."""

    strategy: tf.distribute.Strategy
    reason: str
    worker: int = 0
    workers: int = 1

    @property
    def replicas(self) -> int:
        """The devices of all workers together."""
        return self.strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this is the worker that writes checkpoints, logs and the model."""
        return self.worker == 0

    def parts(self, training: TrainingConfig) -> int:
        """How many a step has: on several devices all of `accumulation_steps`, which are steps of their own on one."""
        return 1 if self.replicas == 1 else training.accumulation_steps

    def batch_size(self, training: TrainingConfig, images: int) -> int:
        """Images a step, of all devices together; no more than there are.

        Raises:
            BadInput: they cannot be split evenly over the devices.
        """
        devices, parts = self.replicas, self.parts(training)
        wanted = training.batch_size * (devices if training.batch_scope == "replica" else 1)
        if rest := wanted % devices:
            near = sorted({max(wanted - rest, devices), wanted - rest + devices})
            raise BadInput(
                f"training.batch_size: {wanted} images cannot be split over {devices} devices; "
                f"give {' or '.join(map(str, near))}"
            )
        least = devices * parts
        if images < least:
            steps = f" of {parts} training.accumulation_steps" if parts > 1 else ""
            raise BadInput(
                f"training.distribution: {images} images are too few for {devices} devices{steps}; take fewer"
            )
        return min(wanted * parts, images - images % least)

    def learning_rate(self, training: TrainingConfig) -> float:
        """The configured one, grown with the batch where that grows with the number of devices."""
        if training.batch_scope == "global":
            return training.learning_rate
        power = {"linear": 1.0, "sqrt": 0.5, "none": 0.0}[training.learning_rate_scaling]
        return float(training.learning_rate * self.replicas**power)

    def scope(self) -> AbstractContextManager:
        """Where the model and its optimizer are made."""
        return self.strategy.scope()

    def model(self, network: keras.Model) -> keras.Model:
        """The network as one that `fit` can train here."""
        if self.replicas == 1:
            return network
        return DistributedModel(network.input, network.output, name=network.name)

    def batches(self, dataset: tf.data.Dataset) -> Any:
        """This worker's batches, as `fit` takes them: each split over the worker's own devices."""
        if self.workers == 1:
            return dataset  # which Keras distributes itself
        devices = self.replicas // self.workers

        def of_a_device(_: tf.distribute.InputContext) -> tf.data.Dataset:
            if devices == 1:
                return dataset
            return dataset.rebatch(int(dataset.element_spec[0].shape[0] or 0) // devices)

        return self.strategy.distribute_datasets_from_function(of_a_device)


def choose_distribution(name: str, worker_timeout: float = 10.0) -> Distribution:
    """The distribution of a configuration's `training.distribution`; it must come before any other use of TensorFlow.

    Raises:
        BadInput: TF_CONFIG is wrong, or missing where it is needed; or another worker is not there in so many minutes.
        SystemExit: another worker was there and is gone; the code asks for a retry.
    """
    cluster = Cluster.from_environment()
    if keras.backend.backend() == "jax":
        return _one_jax_device(None if name == "none" else cluster)
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:  # or TensorFlow takes all of its memory at once
        tf.config.experimental.set_memory_growth(gpu, True)
    if name == "multi_worker" and cluster is None:
        raise BadInput(
            "training.distribution: multi_worker needs the environment variable TF_CONFIG, as Kubeflow's training "
            "operator sets it; take mirrored or none for a single machine"
        )
    if cluster and len(cluster.workers) > 1 and name in ("auto", "multi_worker"):
        if missing := wait_for_workers(cluster.workers, cluster.index, 60 * worker_timeout):
            raise BadInput(f"TF_CONFIG: the worker at {missing} was not there within {worker_timeout:g} minutes")
        count = len(cluster.workers)
        with lost_peers_in_words(count):
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        reason = f"worker {cluster.index + 1} of {count} in TF_CONFIG, {strategy.num_replicas_in_sync} devices in all"
        return Distribution(strategy, reason, cluster.index, count)
    if name in ("mirrored", "multi_worker") or (name == "auto" and len(gpus) > 1):
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(devices) > 1:
            strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
            return Distribution(strategy, f"mirrored over {', '.join(_short(device.name) for device in devices)}")
    return Distribution(tf.distribute.get_strategy(), _one_device(gpus))


def _one_jax_device(cluster: Cluster | None) -> Distribution:
    import jax

    if cluster and len(cluster.workers) > 1:
        raise BadInput(
            f"training.backend: jax trains on one device, but TF_CONFIG names {len(cluster.workers)} workers; "
            "take tensorflow, or training.distribution none"
        )
    tf.config.set_visible_devices([], "GPU")  # TensorFlow reads the images, and leaves the GPU's memory to JAX
    first, *others = jax.devices()
    idle = f"; {len(others)} more stay idle" if others else ""
    return Distribution(tf.distribute.get_strategy(), f"with JAX, on {first.device_kind} ({first.platform}){idle}")


def _one_device(gpus: list[Any]) -> str:
    if not gpus:
        return f"on the CPU, {why_no_gpu(sorted(map(str, Path('/dev').glob('nvidia[0-9]*'))))}"
    details = tf.config.experimental.get_device_details(gpus[0])
    others = f"; {len(gpus) - 1} more GPUs stay idle" if len(gpus) > 1 else ""
    return f"on one GPU, {details.get('device_name', gpus[0].name)}{others}"


def why_no_gpu(present: Sequence[str]) -> str:
    """Why TensorFlow uses none, if these are there."""
    if not present:
        return "this machine has no GPU"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        reason = "the environment variable CUDA_VISIBLE_DEVICES hides it"
    elif not tf.test.is_built_with_cuda():
        reason = "it was built without CUDA"
    else:
        reason = "its CUDA libraries are missing or too old; pip install 'tensorflow[and-cuda]' brings them"
    return f"though {present[0]} is there: TensorFlow cannot use it, {reason}"


def _short(name: str) -> str:
    """/device:CPU:0 -> CPU:0"""
    return name.partition("device:")[2] or name
