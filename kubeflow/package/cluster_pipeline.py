"""The pipeline on a cluster: components look up what earlier runs left, and models are pushed to an object store."""

import json
from typing import Any

from tfx import v1 as tfx
from tfx.types import BaseChannel

from efficientmixnet.kubeflow.components.baseline import Baseline
from efficientmixnet.kubeflow.components.data_before import DataBefore
from efficientmixnet.kubeflow.components.data_version import DataVersion
from efficientmixnet.kubeflow.components.latest_pushed import LatestPushed
from efficientmixnet.kubeflow.components.latest_spans import LatestSpans
from efficientmixnet.kubeflow.components.model_card import ModelCard
from efficientmixnet.kubeflow.components.previous_statistics import PreviousStatistics
from efficientmixnet.kubeflow.components.pusher import Pusher
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

    def __init__(self, config: Config) -> None:
        super().__init__(str(config.kubeflow.pipeline_root).rstrip("/"))
        self._config = config
        self._pushed = config.kubeflow.pushed or f"{self.folder}/pushed"
        self._data_before: dict[str, Any] = {}

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
        version = DataVersion(
            images=data.images,
            manifest=data.manifest or "",
            splits=json.dumps(data.splits),
            layout=data.layout.model_dump_json(exclude_defaults=True),
            split_names=json.dumps(data.split_names),
            group=data.group or "",
            max_image_bytes=data.max_image_bytes,
        )
        return self._look_up(version)["fingerprint"]

    def previous_statistics(self, examples: BaseChannel, statistics: BaseChannel) -> Any:
        return PreviousStatistics(now=statistics, before=self._look_up_data(examples, statistics)["before"])

    def spans(self, examples: BaseChannel, statistics: BaseChannel, count: int) -> Any:
        return LatestSpans(now=examples, earlier=self._look_up_data(examples, statistics)["earlier"])

    def warm_start(self, schema: BaseChannel) -> Any:
        latest = LatestPushed(schema=schema, pushed=self._pushed).with_id("PushedBefore")
        return Baseline(schema=schema, **self._look_up(latest)).with_id("WarmStart")

    def baseline(self, candidate: BaseChannel) -> Any:
        return Baseline(candidate=candidate, **self._look_up(LatestPushed(candidate=candidate, pushed=self._pushed)))

    def pusher(self, model: BaseChannel, blessing: BaseChannel, infra_blessing: BaseChannel | None) -> Any:
        return Pusher(model=model, model_blessing=blessing, pushed=self._pushed)

    def model_card(self, report: BaseChannel, pushed_model: BaseChannel) -> Any:
        return ModelCard(report=report, pushed_model=pushed_model)

    def _look_up(self, node: Any) -> dict[str, Any]:
        """Adds the node to the pipeline, and returns its outputs by name, as parameters for other nodes."""
        self.lookups.append(node)
        return {name: output.future()[0].value for name, output in node.outputs.items()}

    def _look_up_data(self, examples: BaseChannel, statistics: BaseChannel) -> dict[str, Any]:
        """Adds one DataBefore task, however many nodes read from it."""
        if not self._data_before:
            config = self._config
            before = DataBefore(
                examples=examples,
                statistics=statistics,
                records=f"{self.folder}/data/{config.name}",
                spans=config.data.training_spans,
            )
            self._data_before = self._look_up(before)
        return self._data_before


def _exchanged_checkpoints(trainer: TrainerPodConfig | None) -> str | None:
    return f"{trainer.exchange.rstrip('/')}/checkpoints" if trainer and trainer.exchange else None
