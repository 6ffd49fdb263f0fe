"""KubeflowConfig: the section `kubeflow`, the settings of a cluster. `efficientmixnet run` does not use them."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from efficientmixnet.modules.config.names import (
    ContainerPath,
    KubernetesName,
    LabelKey,
    LabelValue,
    Place,
    RelativePath,
    SecretKey,
    ServiceUrl,
    TaintKey,
    Variable,
)
from efficientmixnet.modules.config.section import A_YEAR, Section

# The components whose pods have no key of their own below. SchemaGen has a pod with data.drift or data.training_spans.
OtherComponent = Literal[
    "DataVersion", "DataBefore", "SchemaGen", "LatestSpans", "PushedBefore", "LatestPushed", "ServingCheck", "Pusher"
]
_YEAR = 60 * A_YEAR  # seconds
_QUANTITY = re.compile(r"(?:\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(?:[numkMGTPE]|[KMGTPE]i)?", re.ASCII)
_RESOURCE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def _quantity(value: str) -> str:
    if not _QUANTITY.fullmatch(value):
        raise PydanticCustomError("quantity", "should be a Kubernetes quantity, such as 500m, 64G or 8Gi")
    return value


Quantity = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_quantity)]


class Toleration(Section):
    """A toleration of a pod."""

    key: TaintKey = ""
    """The taint's key. With operator Exists, an empty key tolerates every taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal compares the taint's key and value, Exists only its key."""
    value: LabelValue = ""
    """The taint's value, for operator Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect. null tolerates every effect."""


class PodConfig(Section):
    """The resources and the node of a component's pod."""

    cpu: Quantity | None = None
    """CPUs, as the request and the limit: 4, or 500m for half a CPU. null uses the component's default."""
    memory: Quantity | None = None
    """Memory, as the request and the limit: 16G. null uses the component's default."""
    gpus: int = Field(0, ge=0, le=1024)
    """The number of GPUs. Trainer uses all GPUs of its pod."""
    gpu_type: str = "nvidia.com/gpu"
    """The GPUs' resource name, such as nvidia.com/gpu or amd.com/gpu. On Vertex AI, a type such as NVIDIA_TESLA_T4."""
    shared_memory: Quantity | None = None
    """The size of /dev/shm: 8Gi."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that the node must have."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints that the node may have: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]."""
    timeout_seconds: int | None = Field(None, ge=1, le=_YEAR)
    """The cluster stops the pod after this many seconds. null sets no limit."""

    @model_validator(mode="after")
    def _gpu_type_is_known(self) -> "PodConfig":
        if not _RESOURCE.fullmatch(self.gpu_type) and not re.fullmatch(r"(NVIDIA|TPU)_[A-Z0-9_]+", self.gpu_type):
            raise ValueError(
                f"gpu_type: {self.gpu_type!r} is not the name of a GPU resource; give a name such as "
                "nvidia.com/gpu, amd.com/gpu or nvidia.com/mig-1g.10gb"
            )
        return self


class TrainerPodConfig(PodConfig):
    """The pod of Trainer, or the pods of its workers."""

    workers: int = Field(1, ge=1, le=10_000)
    """The number of pods that train together, each with the resources given here. More than one needs job_kind."""
    job_kind: Literal["tfjob", "trainjob"] | None = None
    """What starts the workers: tfjob for Kubeflow's Training Operator, trainjob for Kubeflow Trainer 2. null trains in
    the component's own pod."""
    exchange: ContainerPath | None = None
    """A folder on a volume through which the component and its workers exchange data. null uses the object store."""
    restarts: int = Field(20, ge=0, le=10_000)
    """How often each worker may restart after it was preempted or lost another worker."""
    scheduling_minutes: float = Field(60.0, gt=0, le=A_YEAR)
    """The training fails if the workers have not all started after this many minutes."""


class RetriesConfig(Section):
    """How the cluster retries a failed task."""

    count: int = Field(2, ge=0, le=100)
    """The number of retries of a failed task."""
    backoff_seconds: int = Field(30, ge=1, le=_YEAR)
    """Seconds before the first retry."""
    backoff_factor: float = Field(2.0, ge=1, le=100)
    """The factor by which the pause grows with each retry."""
    within_seconds: int = Field(7 * 24 * 3600, ge=1, le=_YEAR)
    """Seconds for all attempts of a task together. After that the cluster stops the task."""


class SecretConfig(Section):
    """A Secret for every pod, as environment variables or as files."""

    name: KubernetesName
    """The Secret's name. The package never contains its value."""
    environment: dict[SecretKey, Variable] = {}
    """The environment variable for each key of the Secret: {accesskey: AWS_ACCESS_KEY_ID}."""
    path: ContainerPath | None = None
    """Instead of environment: the folder to mount the Secret at, with one file for each key."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "SecretConfig":
        if bool(self.environment) == bool(self.path):
            raise ValueError(
                "environment: give environment, such as {accesskey: AWS_ACCESS_KEY_ID}, or path, the folder for the "
                "Secret's files, and not both"
            )
        return self


class VolumeConfig(Section):
    """A volume for every pod."""

    claim: KubernetesName
    """The name of the PersistentVolumeClaim."""
    path: ContainerPath
    """Where to mount the volume in every pod."""
    sub_path: RelativePath = ""
    """The folder of the volume to mount. Empty mounts the whole volume."""


class ObjectStoreConfig(Section):
    """The object store of images and pushed models, if it is not the launcher's."""

    endpoint: str | None = None
    """The URL of an S3 service: http://minio-service.kubeflow:9000. null uses the endpoint of Kubeflow's launcher."""
    region: str | None = None
    """The region of the store. null uses the region of Kubeflow's launcher."""
    secret: KubernetesName | None = None
    """The Secret with the store's keys, such as mlpipeline-minio-artifact. null uses the keys of Kubeflow's launcher,
    or the rights of the service account."""
    access_key: SecretKey = "accesskey"
    """The key of the Secret that holds the access key."""
    secret_key: SecretKey = "secretkey"  # noqa: S105  a name within the Secret
    """The key of the Secret that holds the secret key."""

    def environment(self) -> dict[str, str]:
        """Returns the environment variables with endpoint and region. The keys come from the Secret."""
        values = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }
        return {name: value for name, value in values.items() if value}


class KubeflowConfig(Section):
    """The section `kubeflow`."""

    image: str | None = None
    """The container image. `make image` builds it."""
    pipeline_root: Place | None = None
    """The folder for artifacts in an object store, with minio://, s3:// or gs://: minio://bucket/folder."""
    pushed: Place | None = None
    """The folder for pushed models, in an object store or on a volume. null uses PIPELINE_ROOT/pushed."""
    checkpoints: ContainerPath | None = None
    """A folder on a volume for checkpoints. A retried Trainer continues from them. With null it starts from scratch."""
    model_registry: ServiceUrl | None = None
    """The URL of Kubeflow's Model Registry, which gets each pushed model: http://model-registry-service.kubeflow:8080."""
    service_account: KubernetesName | None = None
    """The service account of the pods. null uses the cluster's default for pipelines."""
    cache: bool = True
    """Whether to take the results of unchanged tasks from the cluster's cache."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When to pull the container image. null uses the cluster's default."""
    environment: dict[Variable, str] = {}
    """Environment variables for every pod. For secret values, use secrets."""
    secrets: tuple[SecretConfig, ...] = ()
    """Secrets for every pod: [{name: my-store, environment: {key: AWS_SECRET_ACCESS_KEY}}]."""
    volumes: tuple[VolumeConfig, ...] = ()
    """Volumes for every pod: [{claim: images, path: /mnt/images}]."""
    image_example_gen: PodConfig | None = None
    """The pod of ImageExampleGen. null uses pod below."""
    statistics_gen: PodConfig | None = None
    """The pod of StatisticsGen. null uses pod below."""
    transform: PodConfig | None = None
    """The pod of Transform. null uses pod below."""
    trainer: TrainerPodConfig | None = None
    """The pod of Trainer and Tuner: {gpus: 4, cpu: 16, memory: 64G, shared_memory: 8Gi}. null uses pod below. For
    training in many pods: {workers: 4, job_kind: tfjob, gpus: 8}, and docs/kubeflow.md explains the other keys."""
    evaluator: PodConfig | None = None
    """The pod of Evaluator and the report. null uses pod below."""
    pods: dict[OtherComponent, PodConfig] = {}
    """The pods of other components, by name: {ServingCheck: {memory: 16G}}. Those that are not listed use pod below."""
    default_resources: bool = True
    """Whether components without cpu or memory get the measured requests and limits. docs/kubeflow.md has them.
    With false they get none."""
    object_store: ObjectStoreConfig = ObjectStoreConfig()
    retries: RetriesConfig = RetriesConfig()
    pod: PodConfig = PodConfig()

    @model_validator(mode="after")
    def _each_volume_once(self) -> "KubeflowConfig":
        names = [volume.claim for volume in self.volumes] + [secret.name for secret in self.secrets if secret.path]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"volumes: {twice!r} is mounted twice, which Kubernetes refuses; mount it once")
        return self

    def pod_of(self, component: str) -> PodConfig:
        """Returns the pod of a component.

        Args:
            component: The component's id, such as Trainer. With a job_kind Trainer only waits, and needs no GPU.
        """
        own = _own_pods(self).get(component)
        if component == "Trainer" and self.trains_in_a_job:
            return self.pod.model_copy(update={"gpus": 0, "timeout_seconds": own and own.timeout_seconds})
        return own or self.pod

    @property
    def trains_in_a_job(self) -> bool:
        """Whether the component Trainer only waits for a training job."""
        return bool(self.trainer and self.trainer.job_kind)


def _own_pods(config: KubeflowConfig) -> Mapping[str, PodConfig | None]:
    return {
        "ImageExampleGen": config.image_example_gen,
        "StatisticsGen": config.statistics_gen,
        "Transform": config.transform,
        "Tuner": config.trainer,
        "Trainer": config.trainer,
        "Evaluator": config.evaluator,
        **{str(name): pod for name, pod in config.pods.items()},
    }


def all_secrets(config: KubeflowConfig) -> Iterator[SecretConfig]:
    """Yields the Secrets in `secrets`, and the object store's Secret."""
    yield from config.secrets
    store = config.object_store
    if store.secret:
        keys = {store.access_key: "AWS_ACCESS_KEY_ID", store.secret_key: "AWS_SECRET_ACCESS_KEY"}
        yield SecretConfig(name=store.secret, environment=keys)
