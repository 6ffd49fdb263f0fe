"""Distribution: the devices of a training: one, all of this machine, or those of several machines."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import keras
import tensorflow as tf

from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.distribution.augmenting_model import Augment, AugmentingModel
from efficientmixnet.modules.distribution.cluster import Cluster
from efficientmixnet.modules.distribution.distributed_model import DistributedModel
from efficientmixnet.modules.distribution.jax_cluster import JAXJOB, JaxCluster
from efficientmixnet.modules.distribution.jax_devices import JaxDevices, connect
from efficientmixnet.modules.distribution.lost_workers import exit_if_worker_lost
from efficientmixnet.modules.distribution.rendezvous import wait_for_workers
from efficientmixnet.modules.exceptions import BadInput

_NAMES = get_args(TrainingConfig.model_fields["distribution"].annotation)


@dataclass(frozen=True)
class Distribution:
    """A TensorFlow strategy or JAX's devices, why they were chosen, and the index of this worker."""

    strategy: tf.distribute.Strategy | JaxDevices
    reason: str
    worker: int = 0
    workers: int = 1

    @property
    def replicas(self) -> int:
        """The number of devices of all workers together."""
        return self.strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this is the worker that writes checkpoints, logs and the model."""
        return self.worker == 0

    @property
    def is_mirrored(self) -> bool:
        """Whether each device has its own step, and must combine it with the others. JAX has one step for all."""
        return self.replicas > 1 and not self.splits_equally

    @property
    def splits_equally(self) -> bool:
        """Whether the devices must have equally many images of every batch, as JAX's must."""
        return self.replicas > 1 and isinstance(self.strategy, JaxDevices)

    def accumulated_batches(self, training: TrainingConfig) -> int:
        """Returns how many batches one step accumulates: 1 where each batch is its own step."""
        return training.accumulation_steps if self.is_mirrored else 1

    def synchronizes_norms(self, training: TrainingConfig) -> bool:
        """Whether normalization layers use the batch of all devices."""
        return training.synchronized_norm and self.is_mirrored

    def batch_size(self, training: TrainingConfig, images: int) -> int:
        """Returns the images of each training step, on all devices together.

        Args:
            training: The section `training` of the configuration.
            images: The number of training images, which limits the batch.

        Raises:
            BadInput: The batch cannot be split evenly over the devices.
        """
        devices, batches = self.replicas, self.accumulated_batches(training)
        wanted = training.batch_size * (devices if training.batch_scope == "replica" else 1)
        if rest := wanted % devices:
            near = sorted({max(wanted - rest, devices), wanted - rest + devices})
            raise BadInput(
                f"training.batch_size: {wanted} images cannot be split over {devices} devices; "
                f"give {' or '.join(map(str, near))}"
            )
        least = devices * batches
        if images < least:
            steps = f" with {batches} training.accumulation_steps" if batches > 1 else ""
            raise BadInput(
                f"training.distribution: {images} images are too few for {devices} devices{steps}; use fewer devices"
            )
        return min(wanted * batches, images - images % least)

    def learning_rate(self, training: TrainingConfig) -> float:
        """Returns the learning rate. With `batch_scope: replica` it grows with the number of devices."""
        if training.batch_scope == "global":
            return training.learning_rate
        power = {"linear": 1.0, "sqrt": 0.5, "none": 0.0}[training.learning_rate_scaling]
        return float(training.learning_rate * self.replicas**power)

    def scope(self) -> AbstractContextManager:
        """Returns the context in which to build and compile the model."""
        return self.strategy.scope()

    @property
    def has_accelerator(self) -> bool:
        """Whether the training runs on a GPU or another accelerator, and not on the CPU."""
        if keras.backend.backend() == "jax":
            import jax

            return bool(jax.default_backend() != "cpu")
        return bool(tf.config.list_physical_devices("GPU"))

    def model(self, network: keras.Model, augment: Augment | None = None) -> keras.Model:
        """Returns the network as a model that `fit` can train on these devices.

        Args:
            network: A functional model.
            augment: What the training step does with a batch first; None: nothing.
        """
        if not self.is_mirrored and augment is None:
            return network
        kind = DistributedModel if self.is_mirrored else AugmentingModel
        model = kind(network.input, network.output, name=network.name)
        model.augment = augment
        return model

    def batches(self, dataset: tf.data.Dataset) -> Any:
        """Returns this worker's batches in a form that `fit` accepts, each split over the worker's devices."""
        if self.workers == 1 or isinstance(self.strategy, JaxDevices):
            return dataset  # Keras distributes it
        devices = self.replicas // self.workers

        def of_a_device(_: tf.distribute.InputContext) -> tf.data.Dataset:
            if devices == 1:
                return dataset
            first, *_ = tf.nest.flatten(dataset.element_spec)
            return dataset.rebatch(int(first.shape[0] or 0) // devices)

        return self.strategy.distribute_datasets_from_function(of_a_device)


def choose_distribution(name: str, worker_timeout: float = 10.0) -> Distribution:
    """Chooses the devices. Call it before any other use of TensorFlow.

    Args:
        name: The value of `training.distribution`: auto, none, mirrored or multi_worker.
        worker_timeout: Minutes to wait for the other workers.

    Raises:
        BadInput: TF_CONFIG is missing or wrong, or another worker did not start in time.
        SystemExit: Another worker started and ended. The exit code asks for a retry.
    """
    if name not in _NAMES:
        raise BadInput(f"training.distribution: {name!r} is not one of {', '.join(_NAMES)}")
    if keras.backend.backend() == "jax":
        return _on_jax(name, worker_timeout)
    cluster = Cluster.from_environment()
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:  # without it, TensorFlow reserves all of the memory at once
        tf.config.experimental.set_memory_growth(gpu, True)
    if name == "multi_worker" and cluster is None:
        raise BadInput(
            "training.distribution: multi_worker needs the environment variable TF_CONFIG, which Kubeflow's training "
            "operator sets; give mirrored or none for one machine"
        )
    if cluster and len(cluster.workers) > 1 and name in ("auto", "multi_worker"):
        if missing := wait_for_workers(cluster.workers, cluster.index, 60 * worker_timeout):
            raise BadInput(f"TF_CONFIG: the worker at {missing} did not start within {worker_timeout:g} minutes")
        count = len(cluster.workers)
        with exit_if_worker_lost(count):
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        reason = f"worker {cluster.index + 1} of {count} in TF_CONFIG, {strategy.num_replicas_in_sync} devices in total"
        return Distribution(strategy, reason, cluster.index, count)
    if name in ("mirrored", "multi_worker") or (name == "auto" and len(gpus) > 1):
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(devices) > 1:
            strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
            return Distribution(strategy, f"mirrored on {', '.join(_short(device.name) for device in devices)}")
    return Distribution(tf.distribute.get_strategy(), _one_device(gpus))


def _on_jax(name: str, worker_timeout: float) -> Distribution:
    import jax

    tf.config.set_visible_devices([], "GPU")  # TensorFlow only reads images. The GPU's memory is for JAX
    cluster = JaxCluster.of(name)
    if name == "multi_worker" and cluster is None:
        raise BadInput(
            f"training.distribution: multi_worker needs the environment variables {', '.join(JAXJOB)} of a JAXJob, "
            "those of a TrainJob with the JAX runtime, or TF_CONFIG; give mirrored or none for one machine"
        )
    workers = cluster.processes if cluster else 1
    if cluster and workers > 1:
        with exit_if_worker_lost(workers):
            connect(cluster, worker_timeout)
    first, *others = jax.devices()
    kind = f"{first.device_kind} ({first.platform})"
    if name == "none" or not others:
        idle = f"; {len(others)} more are idle" if others else ""
        return Distribution(tf.distribute.get_strategy(), f"with JAX on {kind}{idle}")
    devices = JaxDevices.all()
    if cluster and workers > 1:
        reason = f"with JAX, worker {cluster.index + 1} of {workers}, {devices.num_replicas_in_sync} devices in total"
        return Distribution(devices, reason, cluster.index, workers)
    return Distribution(devices, f"with JAX on {devices.num_replicas_in_sync} x {kind}")


def _one_device(gpus: list[Any]) -> str:
    if not gpus:
        return f"on the CPU {why_no_gpu(sorted(map(str, Path('/dev').glob('nvidia[0-9]*'))))}"
    details = tf.config.experimental.get_device_details(gpus[0])
    others = f"; {len(gpus) - 1} more GPUs are idle" if len(gpus) > 1 else ""
    return f"on one GPU, {details.get('device_name', gpus[0].name)}{others}"


def why_no_gpu(present: Sequence[str]) -> str:
    """Returns why TensorFlow uses no GPU.

    Args:
        present: The GPUs' device files, such as /dev/nvidia0.
    """
    if not present:
        return "because this machine has no GPU"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        reason = "the environment variable CUDA_VISIBLE_DEVICES hides it"
    elif not tf.test.is_built_with_cuda():
        reason = "this TensorFlow was built without CUDA"
    else:
        reason = "its CUDA libraries are missing or too old; run pip install 'tensorflow[and-cuda]'"
    return f"because TensorFlow cannot use {present[0]}: {reason}"


def _short(name: str) -> str:
    """/device:CPU:0 -> CPU:0"""
    return name.partition("device:")[2] or name
