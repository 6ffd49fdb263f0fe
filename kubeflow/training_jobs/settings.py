"""JobSettings: what the package says of the job that trains in many pods, carried in an environment variable.

There, as a pod's resources and node, it has no part in the cluster's cache: more memory is no other training.
"""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from efficientmixnet.kubeflow.training_jobs.worker_pod import worker_pod
from efficientmixnet.pipeline.config.kubeflow_config import KubeflowConfig

VARIABLE = "EFFICIENTMIXNET_TRAINING_JOB"


@dataclass(frozen=True)
class JobSettings:
    """Who starts the workers, how many, and for how long they may keep the component waiting."""

    pipeline: str
    kind: str
    workers: int
    pod: dict[str, Any]  # a PodTemplateSpec with one container, which has no command yet
    exchange: str | None
    stores_checkpoints: bool  # in the object store, where no volume is named for them
    restarts: int
    scheduling_minutes: float
    timeout_seconds: int | None

    @classmethod
    def of(cls, config: KubeflowConfig, pipeline: str) -> "JobSettings | None":
        """None where the component trains in its own pod."""
        trainer = config.trainer
        if trainer is None or trainer.job_kind is None:
            return None
        return cls(
            pipeline=pipeline,
            kind=trainer.job_kind,
            workers=trainer.workers,
            pod=worker_pod(config, trainer),
            exchange=trainer.exchange,
            stores_checkpoints=not config.checkpoints and not trainer.exchange,
            restarts=trainer.restarts,
            scheduling_minutes=trainer.scheduling_minutes,
            timeout_seconds=trainer.timeout_seconds,
        )

    @classmethod
    def from_environment(cls) -> "JobSettings | None":
        """As the package has them; None where it has none."""
        text = os.environ.get(VARIABLE)
        return cls(**json.loads(text)) if text else None

    def to_environment(self) -> dict[str, str]:
        """The variable."""
        return {VARIABLE: as_argument(asdict(self))}


def as_argument(value: Any) -> str:
    """JSON without a dollar sign, since Kubernetes replaces $(NAME) in arguments and environment variables."""
    return json.dumps(value, sort_keys=True).replace("$", "\\u0024")
