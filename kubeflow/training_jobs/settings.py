"""JobSettings: the settings of a training job. The package carries them in an environment variable.

The cluster's cache ignores environment variables, so a change of the workers' memory does not cause a new training.
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
    """The settings of a training job.

    Args:
        pipeline: The pipeline's name.
        kind: tfjob or trainjob.
        workers: The number of workers.
        pod: A PodTemplateSpec with one container, which has no command.
        exchange: The folder on a volume for inputs and outputs. None uses the object store.
        stores_checkpoints: Whether checkpoints go to the object store because no volume is given for them.
        restarts: How often each worker may restart.
        scheduling_minutes: How long the workers may take to start.
        timeout_seconds: How long the job may run.
    """

    pipeline: str
    kind: str
    workers: int
    pod: dict[str, Any]
    exchange: str | None
    stores_checkpoints: bool
    restarts: int
    scheduling_minutes: float
    timeout_seconds: int | None

    @classmethod
    def of(cls, config: KubeflowConfig, pipeline: str) -> "JobSettings | None":
        """Returns the settings, or None if the component trains in its own pod."""
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
        """Returns the settings in this process's environment, or None."""
        text = os.environ.get(VARIABLE)
        return cls(**json.loads(text)) if text else None

    def to_environment(self) -> dict[str, str]:
        """Returns the environment variable with the settings."""
        return {VARIABLE: as_argument(asdict(self))}


def as_argument(value: Any) -> str:
    """Returns JSON without dollar signs, because Kubernetes replaces $(NAME) in arguments and environment variables."""
    return json.dumps(value, sort_keys=True).replace("$", "\\u0024")
