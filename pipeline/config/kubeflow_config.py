"""KubeflowConfig: what a cluster needs to know beside the run itself; `efficientmixnet run` reads none of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from efficientmixnet.modules.config.section import Section

_QUANTITY = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[numkMGTPE]|[KMGTPE]i)?")
_RESOURCE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_WORDS = re.compile(r"password|passwd|secret|token|api_?key|access_?key|credential", re.IGNORECASE)


def _quantity(value: str) -> str:
    if not _QUANTITY.fullmatch(value):
        raise PydanticCustomError("quantity", "should be a quantity of Kubernetes, such as 500m, 64G or 8Gi")
    return value


def _kubernetes_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise PydanticCustomError(
            "name", "should be a name of Kubernetes: lower-case letters, digits, hyphens and dots"
        )
    return value


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise PydanticCustomError("variable", "should be an environment variable's name")
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise PydanticCustomError("path", "should be an absolute path in the container, such as /mnt/images")
    return value


Quantity = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_quantity)]
Name = Annotated[str, AfterValidator(_kubernetes_name)]
Variable = Annotated[str, AfterValidator(_variable)]
ContainerPath = Annotated[str, AfterValidator(_absolute)]


class Toleration(Section):
    key: str = ""
    """The taint's key; empty with operator Exists: every taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal: the taint's value too must be the same; Exists: its key is enough."""
    value: str = ""
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """null: all of them."""


class PodConfig(Section):
    cpu: Quantity | None = None
    """CPUs, requested and not exceeded: 4, or 500m for half a one."""
    memory: Quantity | None = None
    """Memory, requested and not exceeded: 16G."""
    gpus: int = Field(0, ge=0)
    """GPUs of one node; Trainer learns on all that its pod has."""
    gpu_type: str = "nvidia.com/gpu"
    """The resource's name in the cluster, such as nvidia.com/gpu or amd.com/gpu; with target vertex NVIDIA_TESLA_T4
    and its like."""
    shared_memory: Quantity | None = None
    """Size of /dev/shm: 8Gi."""
    node_selector: dict[str, str] = {}
    """Labels that the node must have."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints that the node may have: {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}."""
    timeout_seconds: int | None = Field(None, ge=1)
    """The pod is ended after so long."""

    @model_validator(mode="after")
    def _gpu_type_is_known(self) -> "PodConfig":
        if not _RESOURCE.fullmatch(self.gpu_type) and not re.fullmatch(r"(NVIDIA|TPU)_[A-Z0-9_]+", self.gpu_type):
            raise ValueError(
                f"gpu_type: {self.gpu_type!r} is no GPU that a cluster could have; give the resource's name, such as "
                "nvidia.com/gpu, amd.com/gpu or nvidia.com/mig-1g.10gb"
            )
        return self


class TrainerPodConfig(PodConfig):
    workers: int = Field(1, ge=1)
    """Pods that train together, each as described here; for more than one, job_kind says who starts them."""
    job_kind: Literal["tfjob", "trainjob"] | None = None
    """What the cluster has for training in many pods: tfjob, Kubeflow's Training Operator, or trainjob, Kubeflow
    Trainer 2; null: the component trains in its own pod."""
    exchange: ContainerPath | None = None
    """A folder on a volume through which the component and its workers pass data; null: the object store."""
    restarts: int = Field(20, ge=0)
    """How often each worker may be started again, when it was preempted or has lost another one."""
    scheduling_minutes: float = Field(60.0, gt=0)
    """The job is given up when for so long not all workers have found a node and started."""


class RetriesConfig(Section):
    count: int = Field(2, ge=0)
    """How often a failed task is tried again."""
    backoff_seconds: int = Field(30, ge=1)
    """The pause before the first new try ..."""
    backoff_factor: float = Field(2.0, ge=1)
    """... which grows by this factor from one to the next."""
    within_seconds: int = Field(7 * 24 * 3600, ge=1)
    """All tries of a task together; the cluster ends the task after so long."""


class SecretConfig(Section):
    name: Name
    """The Secret's name; its value never enters a file of ours."""
    environment: dict[str, Variable] = {}
    """Key of the Secret: environment variable that gets its value."""
    path: ContainerPath | None = None
    """Or the folder that it is mounted at, a file a key."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "SecretConfig":
        if bool(self.environment) == bool(self.path):
            raise ValueError(
                "environment: give it, such as {accesskey: AWS_ACCESS_KEY_ID}, or path, the folder to mount it at"
            )
        return self


class VolumeConfig(Section):
    claim: Name
    """The PersistentVolumeClaim."""
    path: ContainerPath
    """Where every pod sees it."""
    sub_path: str = ""
    """A folder within the volume; empty: all of it."""


class ObjectStoreConfig(Section):
    endpoint: str | None = None
    """Of an S3 service other than Amazon's: http://minio-service.kubeflow:9000; null: as KFP's launcher has it."""
    region: str | None = None
    """null: as KFP's launcher has it."""
    secret: Name | None = None
    """The Secret with the store's keys, such as mlpipeline-minio-artifact; null: the pod's own rights."""
    access_key: str = "accesskey"
    """The key of the Secret that holds the user's name."""
    secret_key: str = "secretkey"  # noqa: S105  a name within the Secret
    """The key of the Secret that holds the password."""

    def environment(self) -> dict[str, str]:
        """What tells a container which store it is; the keys come from the Secret."""
        values = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }
        return {name: value for name, value in values.items() if value}


class KubeflowConfig(Section):
    image: str | None = None
    """The container image, as `make image` builds it."""
    pipeline_root: str | None = None
    """Where the cluster keeps artifacts: minio://, s3:// or gs://, a bucket and a folder."""
    pushed: str | None = None
    """The folder of pushed models, in an object store or on a volume; null: pushed, in the pipeline's root."""
    checkpoints: ContainerPath | None = None
    """A folder on a volume where a stopped training is taken up again; null: a retried Trainer starts anew."""
    service_account: Name | None = None
    """null: the cluster's own choice for pipelines."""
    cache: bool = True
    """Tasks that did the same before are taken from the cluster's cache."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """null: the cluster's own."""
    environment: dict[Variable, str] = {}
    """Environment variables of every pod; never a secret's value: name the Secret below."""
    secrets: tuple[SecretConfig, ...] = ()
    """Secrets for every pod: {name: my-store, environment: {key: AWS_SECRET_ACCESS_KEY}}."""
    volumes: tuple[VolumeConfig, ...] = ()
    """Volumes for every pod: {claim: images, path: /mnt/images}."""
    image_example_gen: PodConfig | None = None
    """Instead of pod, below, for this component; so for the next ones."""
    statistics_gen: PodConfig | None = None
    """As image_example_gen."""
    transform: PodConfig | None = None
    """As image_example_gen."""
    trainer: TrainerPodConfig | None = None
    """As image_example_gen: {gpus: 4, cpu: 16, memory: 64G, shared_memory: 8G}; in many pods: {workers: 4, job_kind:
    tfjob, gpus: 8}, and with exchange, restarts and scheduling_minutes as the page on Kubeflow says."""
    evaluator: PodConfig | None = None
    """As image_example_gen."""
    object_store: ObjectStoreConfig = ObjectStoreConfig()
    retries: RetriesConfig = RetriesConfig()
    pod: PodConfig = PodConfig()

    @model_validator(mode="after")
    def _no_secret_as_a_value(self) -> "KubeflowConfig":
        for name, value in self.environment.items():
            if _SECRET_WORDS.search(name) and value:
                raise ValueError(
                    f"environment.{name}: looks like a secret's value, which would stand readable in the package and "
                    f"in every pod; put it into a Secret and name that in kubeflow.secrets: "
                    f"{{name: SECRET, environment: {{KEY: {name}}}}}"
                )
        return self

    @model_validator(mode="after")
    def _each_volume_once(self) -> "KubeflowConfig":
        names = [volume.claim for volume in self.volumes] + [secret.name for secret in self.secrets if secret.path]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"volumes: {twice!r} is mounted twice, which the cluster refuses; mount it once")
        return self

    def pod_of(self, component: str) -> PodConfig:
        """The pod of a component by its id, such as Trainer, which only waits where a job_kind has the workers."""
        own = _own_pods(self).get(component)
        if component == "Trainer" and isinstance(own, TrainerPodConfig) and own.job_kind:
            return self.pod.model_copy(update={"gpus": 0, "timeout_seconds": own.timeout_seconds})
        return own or self.pod


def _own_pods(config: KubeflowConfig) -> Mapping[str, PodConfig | None]:
    return {
        "ImageExampleGen": config.image_example_gen,
        "StatisticsGen": config.statistics_gen,
        "Transform": config.transform,
        "Tuner": config.trainer,
        "Trainer": config.trainer,
        "Evaluator": config.evaluator,
    }


def all_secrets(config: KubeflowConfig) -> Iterator[SecretConfig]:
    """The configured ones, and the object store's."""
    yield from config.secrets
    store = config.object_store
    if store.secret:
        keys = {store.access_key: "AWS_ACCESS_KEY_ID", store.secret_key: "AWS_SECRET_ACCESS_KEY"}
        yield SecretConfig(name=store.secret, environment=keys)
