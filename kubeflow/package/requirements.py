"""check: refuses a configuration that a cluster could not run, and names each key and how to fix it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from efficientmixnet.components.image_example_gen.files import is_remote
from efficientmixnet.components.image_example_gen.spans import find_span, has_spans
from efficientmixnet.kubeflow.launcher_paths import SCHEMES
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.kubeflow_config import PodConfig

Target = Literal["oss", "vertex"]


@dataclass(frozen=True)
class _Limits:
    """What differs between the targets.

    Args:
        schemes: The schemes of a pipeline root.
        root: An example of a pipeline root.
        gpu_type: An example of a GPU type.
        is_kubernetes: Whether GPU types are Kubernetes resources, and volumes, Secrets and training jobs exist.
    """

    schemes: tuple[str, ...]
    root: str
    gpu_type: str
    is_kubernetes: bool


_LIMITS: Mapping[str, _Limits] = {
    "oss": _Limits(SCHEMES, "minio://mlpipeline/efficientmixnet", "nvidia.com/gpu", True),
    "vertex": _Limits(("gs://",), "gs://bucket/efficientmixnet", "NVIDIA_TESLA_T4", False),
}


def check(config: Config, target: Target) -> None:
    """Checks a configuration before it is compiled.

    Args:
        config: The configuration of a run.
        target: oss for open-source Kubeflow Pipelines, vertex for Vertex AI.

    Raises:
        BadInput: The cluster would refuse it, or it would fail there after hours. The message lists every problem.
    """
    if target not in _LIMITS:
        raise BadInput(f"--target {target}: is unknown; give one of {', '.join(_LIMITS)}")
    limits = _LIMITS[target]
    found = [
        *_image(config),
        *_places(config, limits),
        *_pods(config, limits),
        *_data(config),
        *_infra_validator(config),
        *_workers(config, limits),
    ]
    if found:
        raise BadInput("\n  ".join(["the configuration cannot run in a cluster:", *found]))


def sees_images(config: Config) -> bool:
    """Whether the images, or those of the latest span, are on this machine."""
    images = config.data.images
    if is_remote(images) or not has_spans(images):
        return Path(images).is_dir()
    try:
        return bool(find_span(images, config.data.layout.span))
    except BadInput:  # the cluster reports it, and may see other spans
        return False


def notes(config: Config) -> Iterator[str]:
    """Yields warnings about paths that pods can only read if their nodes provide them."""
    for key, path in (
        ("images", config.data.images),
        ("manifest", config.data.manifest),
        ("corrections", config.data.corrections),
        ("schema_file", config.data.schema_file),
    ):
        if path and "://" not in path and not _on_a_volume(config, path):
            yield f"data.{key}: {path} is not on a volume in kubeflow.volumes; make sure that the pods can read it"


def _image(config: Config) -> Iterator[str]:
    image = config.kubeflow.image
    if not image:
        yield "kubeflow.image: is missing; build a container image with `make image`, and give its name (--image)"
    elif any(character.isspace() for character in image) or "://" in image:
        yield (
            f"kubeflow.image: {image!r} is not the name of a container image, such as "
            "registry.example.com/efficientmixnet:0.1.0"
        )


def _places(config: Config, limits: _Limits) -> Iterator[str]:
    kubeflow = config.kubeflow
    root = kubeflow.pipeline_root
    if not root:
        yield f"kubeflow.pipeline_root: is missing; give a folder for artifacts (--pipeline-root {limits.root})"
    elif not root.startswith(limits.schemes) or not root.partition("://")[2].strip("/"):
        yield (
            f"kubeflow.pipeline_root: {root!r} is not a folder that every pod can reach; give a bucket and a folder, "
            f"such as {limits.root}"
        )
    for key, path in (("pipeline_root", root), ("pushed", kubeflow.pushed), ("checkpoints", kubeflow.checkpoints)):
        if path and _is_below(path, config.data.images):
            yield f"kubeflow.{key}: {path} is below data.images, where its files could be read as images; move it"
    if kubeflow.pushed and not kubeflow.pushed.startswith((*SCHEMES, "/")):
        yield (
            f"kubeflow.pushed: {kubeflow.pushed!r} is neither in an object store nor an absolute path; give one of them"
        )
    for key, path in (("pushed", kubeflow.pushed), ("checkpoints", kubeflow.checkpoints)):
        if path and path.startswith("/") and not _on_a_volume(config, path):
            yield f"kubeflow.{key}: {path} would be lost with the pod; give a folder on a volume in kubeflow.volumes"
    if not limits.is_kubernetes and (kubeflow.volumes or kubeflow.secrets):
        yield "kubeflow.volumes, kubeflow.secrets: Vertex AI has neither; use gs:// and its service accounts"


def _is_below(place: str, folder: str) -> bool:
    """Whether the place is the folder or in it. minio:// and s3:// are names of the same store."""
    inner, outer = (one.replace("minio://", "s3://").rstrip("/") + "/" for one in (place, folder))
    return inner.startswith(outer)


def _pods(config: Config, limits: _Limits) -> Iterator[str]:
    kubeflow = config.kubeflow
    names = ("image_example_gen", "statistics_gen", "transform", "trainer", "evaluator", "pod")
    pods: dict[str, PodConfig | None] = {name: getattr(kubeflow, name) for name in names}
    pods |= {f"pods.{name}": pod for name, pod in kubeflow.pods.items()}
    for name, pod in pods.items():
        if pod and pod.gpus and ("/" in pod.gpu_type) != limits.is_kubernetes:
            platform = "Kubernetes" if limits.is_kubernetes else "Vertex AI"
            yield f"kubeflow.{name}.gpu_type: {platform} has no {pod.gpu_type}; give a type such as {limits.gpu_type}"


def _workers(config: Config, limits: _Limits) -> Iterator[str]:
    """Yields what is missing for training in many pods."""
    trainer = config.kubeflow.trainer
    if trainer is None:
        return
    if trainer.workers > 1 and trainer.job_kind is None:
        yield (
            f"kubeflow.trainer.job_kind: is missing for {trainer.workers} workers; give tfjob for Kubeflow's Training "
            "Operator, or trainjob for Kubeflow Trainer 2"
        )
    if trainer.job_kind is None:
        if trainer.exchange:
            yield "kubeflow.trainer.exchange: is only for the workers of a training job; leave it out, or give job_kind"
        return
    if not limits.is_kubernetes:
        yield "kubeflow.trainer.job_kind: Vertex AI has no training jobs; leave it out, and give one pod more GPUs"
    if trainer.exchange and not _on_a_volume(config, trainer.exchange):
        yield (
            f"kubeflow.trainer.exchange: {trainer.exchange} is not shared between pods; give a folder on a volume in "
            "kubeflow.volumes"
        )
    training = config.training
    if trainer.workers > 1 and training.distribution not in ("auto", "multi_worker"):
        yield (
            f"training.distribution: with {training.distribution} each of the {trainer.workers} workers would train "
            "its own model; give auto or multi_worker"
        )
    if trainer.workers > 1 and training.budget is not None:
        yield f"training.budget: is for one pod; set training.epochs to train in {trainer.workers} workers"
    devices = trainer.workers * max(trainer.gpus, 1)
    if training.batch_scope == "global" and training.batch_size % devices:
        near = max(training.batch_size - training.batch_size % devices, devices)
        yield (
            f"training.batch_size: {training.batch_size} images cannot be split evenly over the {devices} devices of "
            f"{trainer.workers} workers; give {near}"
        )


def _data(config: Config) -> Iterator[str]:
    data = config.data
    for key, path in (("images", data.images), ("manifest", data.manifest), ("corrections", data.corrections)):
        if path and path.startswith("minio://") and not config.kubeflow.object_store.endpoint:
            yield f"data.{key}: {path} needs kubeflow.object_store.endpoint and secret; give them, or use a volume"
    if not sees_images(config) and "accuracy" not in config.evaluation.thresholds:
        yield (
            "evaluation.thresholds.accuracy: is missing, and the fraction of the most frequent class is unknown "
            "because the images are not on this machine; give the lowest accuracy, such as 0.9"
        )


def _infra_validator(config: Config) -> Iterator[str]:
    """Yields why TFX's InfraValidator cannot run: its server could not read the model in the task's pod."""
    why = {
        "docker": "pods have no Docker",
        "kubernetes": "TensorFlow Serving's pod could not read the model, which is in the task's pod",
    }
    if config.serving.infra_validator:
        yield (
            f"serving.infra_validator: {why[config.serving.infra_validator]}; remove it, ServingCheck tests the model "
            "without it"
        )


def _on_a_volume(config: Config, path: str) -> bool:
    return any(path == one.path or path.startswith(one.path.rstrip("/") + "/") for one in config.kubeflow.volumes)
