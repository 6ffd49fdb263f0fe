"""What a configuration must have before it can be compiled for a cluster; each lack by its key, with the cure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from efficientmixnet.components.image_example_gen.files import is_remote
from efficientmixnet.components.image_example_gen.spans import find_span, has_spans
from efficientmixnet.kubeflow.launcher_paths import SCHEMES
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.kubeflow_config import PodConfig

Target = Literal["oss", "vertex"]


def check(config: Config, target: Target) -> None:
    """Refuses what a cluster would refuse, or what would go wrong there only after hours.

    Raises:
        BadInput: with every lack.
    """
    found = [*_image(config), *_places(config, target), *_pods(config, target), *_data(config), *_server(config)]
    found += _workers(config, target)
    if found:
        raise BadInput("\n  ".join(["the cluster needs more than the configuration says:", *found]))


def sees_images(config: Config) -> bool:
    """Whether they lie on this machine too; of spans the one that a run would read now."""
    images = config.data.images
    if is_remote(images) or not has_spans(images):
        return Path(images).is_dir()
    try:
        return bool(find_span(images, config.data.layout.span))
    except BadInput:  # said by the cluster, which may see others
        return False


def notes(config: Config) -> Iterator[str]:
    """What may be right, where nodes and pods share more than this machine knows of."""
    for key, path in (
        ("images", config.data.images),
        ("manifest", config.data.manifest),
        ("schema_file", config.data.schema_file),
    ):
        if path and "://" not in path and not _on_a_volume(config, path):
            yield f"data.{key}: {path} lies on none of kubeflow.volumes; pods must see it there all the same"


def _image(config: Config) -> Iterator[str]:
    image = config.kubeflow.image
    if not image:
        yield "kubeflow.image: name the container image (--image REGISTRY/efficientmixnet:TAG); `make image` builds it"
    elif any(character.isspace() for character in image) or "://" in image:
        yield f"kubeflow.image: {image!r} is no image's name, such as registry.example.com/efficientmixnet:0.1.0"


def _places(config: Config, target: Target) -> Iterator[str]:
    kubeflow = config.kubeflow
    schemes = ("gs://",) if target == "vertex" else SCHEMES
    such_as = "gs://bucket/efficientmixnet" if target == "vertex" else "minio://mlpipeline/efficientmixnet"
    root = kubeflow.pipeline_root
    if not root:
        yield f"kubeflow.pipeline_root: name where artifacts are kept (--pipeline-root {such_as})"
    elif not root.startswith(schemes) or not root.partition("://")[2].strip("/"):
        yield (
            f"kubeflow.pipeline_root: {root!r} is no place that every pod can reach; give a bucket and a folder, such "
            f"as {such_as}"
        )
    if kubeflow.pushed and not kubeflow.pushed.startswith((*SCHEMES, "/")):
        yield f"kubeflow.pushed: {kubeflow.pushed!r} is neither in an object store nor an absolute path on a volume"
    for key, path in (("pushed", kubeflow.pushed), ("checkpoints", kubeflow.checkpoints)):
        if path and path.startswith("/") and not _on_a_volume(config, path):
            yield f"kubeflow.{key}: {path} lies on none of kubeflow.volumes, and would be gone with the pod"
    if target == "vertex" and (kubeflow.volumes or kubeflow.secrets):
        yield "kubeflow.volumes, kubeflow.secrets: Vertex AI has neither; use gs:// and its service accounts"


def _pods(config: Config, target: Target) -> Iterator[str]:
    own = ("image_example_gen", "statistics_gen", "transform", "trainer", "evaluator", "pod")
    for name in own:
        pod: PodConfig | None = getattr(config.kubeflow, name)
        if not pod or not pod.gpus:
            continue
        of_the_cluster = "/" in pod.gpu_type
        if of_the_cluster and target == "vertex":
            yield f"kubeflow.{name}.gpu_type: Vertex AI knows no {pod.gpu_type}; give NVIDIA_TESLA_T4 or its like"
        if not of_the_cluster and target == "oss":
            yield f"kubeflow.{name}.gpu_type: {pod.gpu_type} is Vertex AI's; a cluster has nvidia.com/gpu or its like"


def _workers(config: Config, target: Target) -> Iterator[str]:
    """What training in many pods needs."""
    trainer = config.kubeflow.trainer
    if trainer is None:
        return
    if trainer.workers > 1 and trainer.job_kind is None:
        yield (
            f"kubeflow.trainer.job_kind: {trainer.workers} workers need one; give tfjob (Kubeflow's Training "
            "Operator) or trainjob (Kubeflow Trainer 2), whichever the cluster has"
        )
    if trainer.job_kind is None:
        if trainer.exchange:
            yield "kubeflow.trainer.exchange: is for the workers of a job_kind; leave it out"
        return
    if target == "vertex":
        yield "kubeflow.trainer.job_kind: Vertex AI has none; give one pod all GPUs of a machine instead"
    if trainer.exchange and not _on_a_volume(config, trainer.exchange):
        yield f"kubeflow.trainer.exchange: {trainer.exchange} lies on none of kubeflow.volumes, and workers see others"
    training = config.training
    if trainer.workers > 1 and training.distribution not in ("auto", "multi_worker"):
        yield (
            f"training.distribution: {training.distribution} would train {trainer.workers} times the same; give auto "
            "or multi_worker"
        )
    if trainer.workers > 1 and training.backend != "tensorflow":
        yield f"training.backend: {training.backend} trains in one pod; give tensorflow for {trainer.workers} workers"
    devices = trainer.workers * max(trainer.gpus, 1)
    if training.batch_scope == "global" and training.batch_size % devices:
        near = max(training.batch_size - training.batch_size % devices, devices)
        yield (
            f"training.batch_size: {training.batch_size} images cannot be split over the {devices} devices of "
            f"{trainer.workers} workers; give {near}"
        )


def _data(config: Config) -> Iterator[str]:
    for key, path in (("images", config.data.images), ("manifest", config.data.manifest)):
        if path and path.startswith("minio://") and not config.kubeflow.object_store.endpoint:
            yield f"data.{key}: {path} needs kubeflow.object_store.endpoint and secret, or a volume instead"
    if not sees_images(config) and "accuracy" not in config.evaluation.thresholds:
        yield (
            "evaluation.thresholds.accuracy: the images cannot be seen from here, so the share of the most frequent "
            "class is not known; give the least accuracy yourself, such as 0.9"
        )


def _server(config: Config) -> Iterator[str]:
    """TFX's InfraValidator, for which the cluster would have to show one pod's files to another."""
    why = {
        "docker": "pods have no Docker",
        "kubernetes": "a task's model lies in the task's own pod, where TensorFlow Serving's pod would not see it",
    }
    if config.serving.infra_validator:
        yield (
            f"serving.infra_validator: {why[config.serving.infra_validator]}; remove it for a cluster: ServingCheck "
            "asks the model in any case"
        )


def _on_a_volume(config: Config, path: str) -> bool:
    return any(path == one.path or path.startswith(one.path.rstrip("/") + "/") for one in config.kubeflow.volumes)
