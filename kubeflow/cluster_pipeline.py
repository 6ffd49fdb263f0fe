"""The pipeline as a cluster runs it: fingerprint and baseline by components of its own, models pushed into a store."""

import json
from typing import Any

from tfx import v1 as tfx

from efficientmixnet.kubeflow.components.baseline import Baseline
from efficientmixnet.kubeflow.components.data_before import DataBefore
from efficientmixnet.kubeflow.components.data_version import DataVersion
from efficientmixnet.kubeflow.components.latest_pushed import LatestPushed
from efficientmixnet.kubeflow.components.model_card import ModelCard
from efficientmixnet.kubeflow.components.previous_statistics import PreviousStatistics
from efficientmixnet.kubeflow.components.pusher import Pusher
from efficientmixnet.pipeline.config import Config
from efficientmixnet.pipeline.kubeflow_config import TrainerPodConfig
from efficientmixnet.pipeline.pipeline import Surroundings, create_pipeline

# Looked up in every run, never cached: what a task would find there changes without any change of its inputs.
NEVER_CACHED = ("DataVersion", "DataBefore", "LatestPushed")
# Gone with the pod: a retried Trainer starts anew.
_POD_CHECKPOINTS = "/tmp/efficientmixnet/checkpoints"  # noqa: S108


def cluster_pipeline(config: Config) -> tfx.dsl.Pipeline:
    """The pipeline of a configuration that requirements.py has checked."""
    kubeflow, data = config.kubeflow, config.data
    version = DataVersion(
        pictures=data.pictures,
        manifest=data.manifest or "",
        splits=json.dumps(data.splits),
        layout=data.layout.model_dump_json(exclude_defaults=True),
    )
    nodes: list[Any] = [version]
    folder = str(kubeflow.pipeline_root).rstrip("/")
    pushed = kubeflow.pushed or f"{folder}/pushed"

    def previous(examples: tfx.types.BaseChannel, statistics: tfx.types.BaseChannel) -> Any:
        noted = DataBefore(examples=examples, statistics=statistics, records=f"{folder}/data/{config.name}")
        nodes.append(noted)
        return PreviousStatistics(now=statistics, before=noted.outputs["before"].future()[0].value)

    def baseline(candidate: tfx.types.BaseChannel) -> Any:
        looked_up = LatestPushed(candidate=candidate, pushed=pushed)
        nodes.append(looked_up)
        return Baseline(candidate=candidate, latest=looked_up.outputs["latest"].future()[0].value)

    def pusher(model: tfx.types.BaseChannel, blessing: tfx.types.BaseChannel, *_: Any) -> Any:
        return Pusher(model=model, model_blessing=blessing, pushed=pushed)

    def card(report: tfx.types.BaseChannel, pushed_model: tfx.types.BaseChannel) -> Any:
        return ModelCard(report=report, pushed_model=pushed_model)

    return create_pipeline(
        config,
        fingerprint=version.outputs["fingerprint"].future()[0].value,
        folder=folder,
        use_cache=kubeflow.cache,
        surroundings=Surroundings(
            previous=previous,
            baseline=baseline,
            pusher=pusher,
            further_nodes=nodes,
            card=card,
            checkpoints=kubeflow.checkpoints or _exchanged_checkpoints(kubeflow.trainer) or _POD_CHECKPOINTS,
            metadata=False,
        ),
    )


def _exchanged_checkpoints(trainer: TrainerPodConfig | None) -> str | None:
    return f"{trainer.exchange.rstrip('/')}/checkpoints" if trainer and trainer.exchange else None
