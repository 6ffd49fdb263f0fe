"""The pipeline on a cluster: components look up what earlier runs left, and models are pushed to an object store."""

import json
from typing import Any

from tfx import v1 as tfx
from tfx.types import BaseChannel, standard_artifacts

from efficientmixnet.kubeflow.package.task_component import task_component
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.kubeflow_config import TrainerPodConfig
from efficientmixnet.pipeline.environment import Environment
from efficientmixnet.pipeline.pipeline import create_pipeline

# These tasks run every time: their results change although their inputs do not.
NEVER_CACHED = ("DataVersion", "DataBefore", "PushedBefore", "LatestPushed", "Pusher")
# Deleted with the pod: a retried Trainer starts again.
_POD_CHECKPOINTS = "/tmp/efficientmixnet/checkpoints"  # noqa: S108


def cluster_pipeline(config: Config) -> tfx.dsl.Pipeline:
    """Returns the pipeline of a configuration that requirements.py has checked."""
    environment = ClusterEnvironment(config)
    return create_pipeline(config, environment.fingerprint(), environment, use_cache=config.kubeflow.cache)


class ClusterEnvironment(Environment):
    """The nodes and paths of a run on Kubeflow Pipelines.

    Its nodes look up earlier results in the object store, since ML Metadata's resolvers do not run there.

    Args:
        config: The configuration of the run.
    """

    reports_first = True

    def __init__(self, config: Config) -> None:
        super().__init__(str(config.kubeflow.pipeline_root).rstrip("/"))
        self._config = config
        self._pushed = config.kubeflow.pushed or f"{self.folder}/pushed"
        self._data_before: Any = None

    @property
    def checkpoints(self) -> str:
        kubeflow = self._config.kubeflow
        return kubeflow.checkpoints or _exchanged_checkpoints(kubeflow.trainer) or _POD_CHECKPOINTS

    @property
    def metadata_config(self) -> None:
        return None  # Kubeflow Pipelines has a server for ML Metadata.

    def fingerprint(self) -> Any:
        """Returns a placeholder for the fingerprint of the images at the time of the run."""
        data = self._config.data
        version = task_component(
            "DataVersion",
            {},
            {"fingerprint": standard_artifacts.String},
            images=data.images,
            manifest=data.manifest or "",
            splits=json.dumps(data.splits),
            layout=data.layout.model_dump_json(exclude_defaults=True),
            split_names=json.dumps(data.split_names),
            group=data.group or "",
            max_image_bytes=data.max_image_bytes,
            corrections=data.corrections or "",
        )
        self.lookups.append(version)
        return version.outputs["fingerprint"].future()[0].value

    def previous_statistics(self, examples: BaseChannel, statistics: BaseChannel) -> Any:
        return self._data(examples, statistics)

    def spans(self, examples: BaseChannel, statistics: BaseChannel, count: int) -> Any:
        earlier = self._data(examples, statistics).outputs["earlier"].future()[0].value
        return task_component(
            "LatestSpans", {"now": examples}, {"examples": standard_artifacts.Examples}, earlier=earlier
        )

    def warm_start(self, schema: BaseChannel) -> Any:
        # In the schema's metadata, the launcher writes how to reach the object store.
        return self._latest_pushed("PushedBefore", {"schema": schema})

    def baseline(self, candidate: BaseChannel) -> Any:
        return self._latest_pushed("LatestPushed", {"candidate": candidate})

    def pusher(
        self, model: BaseChannel, blessing: BaseChannel, infra_blessing: BaseChannel | None, report: BaseChannel | None
    ) -> Any:
        inputs = {"model": model, "model_blessing": blessing, "report": report}
        outputs = {"pushed_model": standard_artifacts.PushedModel}
        return task_component("Pusher", inputs, outputs, pushed=self._pushed, **self._registry())

    def _registry(self) -> dict[str, str]:
        """The parameters of Pusher with which it registers models (kubeflow/registry)."""
        kubeflow = self._config.kubeflow
        if not kubeflow.model_registry:
            return {}
        volumes = {one.path: f"{one.claim}/{one.sub_path}".strip("/") for one in kubeflow.volumes}
        data = self._config.data
        return {
            "model_registry": kubeflow.model_registry,
            "volumes": json.dumps(volumes),
            "images": data.images,
            "manifest": data.manifest or "",
        }

    def _latest_pushed(self, name: str, inputs: dict[str, BaseChannel]) -> Any:
        outputs = {"latest": standard_artifacts.String, "model": standard_artifacts.Model}
        return task_component(name, inputs, outputs, pushed=self._pushed)

    def _data(self, examples: BaseChannel, statistics: BaseChannel) -> Any:
        """Returns the one task DataBefore, however many nodes read from it."""
        if not self._data_before:
            config = self._config
            self._data_before = task_component(
                "DataBefore",
                {"examples": examples, "statistics": statistics},
                {
                    "before": standard_artifacts.String,
                    "earlier": standard_artifacts.String,
                    "previous": standard_artifacts.ExampleStatistics,
                },
                records=f"{self.folder}/data/{config.name}",
                spans=config.data.training_spans,
            )
            self.lookups.append(self._data_before)
        return self._data_before


def _exchanged_checkpoints(trainer: TrainerPodConfig | None) -> str | None:
    return f"{trainer.exchange.rstrip('/')}/checkpoints" if trainer and trainer.exchange else None
