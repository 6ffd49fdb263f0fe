"""The pipeline as a cluster runs it: what earlier runs left is found by components, models are pushed into a store."""

import json
from functools import cache
from typing import Any

from tfx import v1 as tfx

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
from efficientmixnet.pipeline.pipeline import Surroundings, create_pipeline

# Looked up in every run, never cached: what a task would find there changes without any change of its inputs.
NEVER_CACHED = ("DataVersion", "DataBefore", "PushedBefore", "LatestPushed")
# Gone with the pod: a retried Trainer starts anew.
_POD_CHECKPOINTS = "/tmp/efficientmixnet/checkpoints"  # noqa: S108


def cluster_pipeline(config: Config) -> tfx.dsl.Pipeline:
    """The pipeline of a configuration that requirements.py has checked."""
    kubeflow, data = config.kubeflow, config.data
    folder = str(kubeflow.pipeline_root).rstrip("/")
    pushed = kubeflow.pushed or f"{folder}/pushed"
    nodes: list[Any] = []

    def looked_up(node: Any) -> dict[str, Any]:
        """What the node finds, by name, as parameters of others."""
        nodes.append(node)
        return {name: output.future()[0].value for name, output in node.outputs.items()}

    version = looked_up(
        DataVersion(
            images=data.images,
            manifest=data.manifest or "",
            splits=json.dumps(data.splits),
            layout=data.layout.model_dump_json(exclude_defaults=True),
        )
    )

    @cache  # one task, whoever asks
    def data_before(examples: tfx.types.BaseChannel, statistics: tfx.types.BaseChannel) -> dict[str, Any]:
        return looked_up(
            DataBefore(
                examples=examples,
                statistics=statistics,
                records=f"{folder}/data/{config.name}",
                spans=data.training_spans,
            )
        )

    def previous(examples: tfx.types.BaseChannel, statistics: tfx.types.BaseChannel) -> Any:
        return PreviousStatistics(now=statistics, before=data_before(examples, statistics)["before"])

    def spans(examples: tfx.types.BaseChannel, statistics: tfx.types.BaseChannel, _: int) -> Any:
        return LatestSpans(now=examples, earlier=data_before(examples, statistics)["earlier"])

    def warm_start(schema: tfx.types.BaseChannel) -> Any:
        found = looked_up(LatestPushed(schema=schema, pushed=pushed).with_id("PushedBefore"))
        return Baseline(schema=schema, **found).with_id("WarmStart")

    def baseline(candidate: tfx.types.BaseChannel) -> Any:
        return Baseline(candidate=candidate, **looked_up(LatestPushed(candidate=candidate, pushed=pushed)))

    def pusher(model: tfx.types.BaseChannel, blessing: tfx.types.BaseChannel, *_: Any) -> Any:
        return Pusher(model=model, model_blessing=blessing, pushed=pushed)

    def card(report: tfx.types.BaseChannel, pushed_model: tfx.types.BaseChannel) -> Any:
        return ModelCard(report=report, pushed_model=pushed_model)

    return create_pipeline(
        config,
        fingerprint=version["fingerprint"],
        folder=folder,
        use_cache=kubeflow.cache,
        surroundings=Surroundings(
            previous=previous,
            spans=spans,
            warm_start=warm_start,
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
