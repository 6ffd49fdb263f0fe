"""create_pipeline: the whole story, from images to a pushed model, on any runner of TFX."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tfx import v1 as tfx

from efficientmixnet.components.evaluator.component import evaluator
from efficientmixnet.components.example_validator.component import ExampleValidator
from efficientmixnet.components.image_example_gen.component import ImageExampleGen
from efficientmixnet.components.infra_validator import infra_validator
from efficientmixnet.components.pusher import pusher
from efficientmixnet.components.report.component import Report
from efficientmixnet.components.resolvers.baseline import baseline
from efficientmixnet.components.resolvers.latest_spans import latest_spans
from efficientmixnet.components.resolvers.previous_statistics import previous_statistics
from efficientmixnet.components.resolvers.warm_start import warm_start
from efficientmixnet.components.schema_gen import SchemaGen
from efficientmixnet.components.serving_check.component import ServingCheck
from efficientmixnet.components.statistics_gen import statistics_gen
from efficientmixnet.components.trainer import trainer
from efficientmixnet.components.transform import transform
from efficientmixnet.components.tuner.component import tuner
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS
from efficientmixnet.pipeline.config.config import Config

BEAM_ARGS = list(IN_PROCESS)


@dataclass(frozen=True)
class Surroundings:
    """What a laptop and a cluster have each in their own way; by default a laptop's."""

    baseline: Callable[[tfx.types.BaseChannel], Any] = baseline
    """Makes, from the candidate, the node whose `model` is to beat."""
    pusher: Callable[[tfx.types.BaseChannel, tfx.types.BaseChannel, str, tfx.types.BaseChannel | None], Any] = pusher
    """Makes, from model, blessing, folder and InfraValidator's blessing if there is one, the node that pushes."""
    previous: Callable[[tfx.types.BaseChannel, tfx.types.BaseChannel], Any] = lambda _, now: previous_statistics(now)
    """Makes, from examples and statistics, the node whose `previous` are the statistics of the data before."""
    spans: Callable[[tfx.types.BaseChannel, tfx.types.BaseChannel, int], Any] = lambda now, _, n: latest_spans(now, n)
    """Makes, from examples, statistics and a number, the node whose `examples` are those of so many latest spans."""
    warm_start: Callable[[tfx.types.BaseChannel], Any] = lambda _: warm_start()
    """Makes, from the schema, the node whose `model` training starts from."""
    further_nodes: list[Any] = field(default_factory=list)
    """What these nodes stand on."""
    card: Callable[[tfx.types.BaseChannel, tfx.types.BaseChannel], Any] | None = None
    """Makes, from report and pushed model, the node that writes the model's card; None: whoever runs it does."""
    checkpoints: str | None = None
    """Where a stopped training is taken up again; None: in the folder of everything else."""
    beam_args: Sequence[str] | None = None
    """How Beam runs; None: as the configuration's section beam says."""
    image_bytes: int = 0
    """Of all images together, where they are known."""
    metadata: bool = True
    """Whether ML Metadata is a file beside the artifacts; a cluster has a service for it."""


def create_pipeline(
    config: Config, fingerprint: Any, folder: str, use_cache: bool = True, surroundings: Surroundings | None = None
) -> tfx.dsl.Pipeline:
    """The pipeline of a resolved configuration; everything that it writes lies in `folder`.

    `fingerprint` is that of the images, or a placeholder for it: TFX's cache holds as long as it stays.
    """
    around = surroundings or Surroundings()
    data, splits = config.data, list(config.data.splits)
    examples = ImageExampleGen(
        images=data.images,
        manifest=data.manifest or "",
        splits=json.dumps(data.splits),
        max_left_out=data.max_left_out,
        max_pixels=data.max_pixels,
        fingerprint=fingerprint,
        layout=data.layout.model_dump_json(exclude_defaults=True),
    )
    statistics = statistics_gen(examples.outputs["examples"])
    if data.schema_file:
        schema = tfx.components.ImportSchemaGen(schema_file=data.schema_file).with_id("SchemaGen")
    else:
        schema = SchemaGen(statistics.outputs["statistics"], [split for split in splits if split != "train"])
    compared = examples.outputs["examples"], statistics.outputs["statistics"]
    before = around.previous(*compared) if data.drift else None
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        previous=before and before.outputs["previous"],
        drift=data.drift,
        skew=data.skew,
        served=data.served,
    )
    spans = around.spans(*compared, data.training_spans) if data.training_spans > 1 else None
    learned_from = (spans or examples).outputs["examples"]
    transformed = transform(learned_from, schema.outputs["schema"], splits, config.network.stored_side)
    if around.beam_args is None:
        transformed.with_beam_pipeline_args(config.beam.args_of_transform(around.image_bytes))
    transformed.add_upstream_node(validator)  # an anomaly stops the run before anything is computed from the data
    start = around.warm_start(schema.outputs["schema"]) if config.network.weights == "latest" else None
    learning = (
        transformed.outputs["transformed_examples"],
        transformed.outputs["transform_graph"],
        schema.outputs["schema"],
    )
    to_learn = {"model": config.model, "checkpoints": around.checkpoints or f"{folder}/checkpoints"}
    begin = start and start.outputs["model"]
    searched = None
    if config.search.space:
        searched = tuner(*learning, {**to_learn, "search": config.search.model_dump(mode="json")}, base_model=begin)
    found = searched and searched.outputs["best_hyperparameters"]
    trained = trainer(*learning, to_learn, base_model=begin, hyperparameters=found)
    to_beat = around.baseline(trained.outputs["model"])
    evaluated = evaluator(
        examples.outputs["examples"],
        trained.outputs["model"],
        to_beat.outputs["model"],
        schema.outputs["schema"],
        **config.evaluation.model_dump(),
    )
    checked = ServingCheck(
        model=trained.outputs["model"],
        model_blessing=evaluated.outputs["blessing"],
        examples=examples.outputs["examples"],
        transformed_examples=transformed.outputs["transformed_examples"],
        config=json.dumps(config.model),
    )
    server, served = config.serving, None
    if server.infra_validator:
        served = infra_validator(
            trained.outputs["model"],
            examples.outputs["examples"],
            server.infra_validator,
            server.image,
            server.tag,
            server.docker,
        )
        served.add_upstream_node(checked)  # which is quicker to say what is wrong
    pushed = around.pusher(
        trained.outputs["model"],
        evaluated.outputs["blessing"],
        f"{folder}/pushed",
        served and served.outputs["blessing"],
    )
    pushed.add_upstream_node(checked)
    report = Report(
        examples=examples.outputs["examples"],
        statistics=statistics.outputs["statistics"],
        model=trained.outputs["model"],
        model_run=trained.outputs["model_run"],
        evaluation=evaluated.outputs["evaluation"],
        config=config.model_dump_json(exclude={"serving", "report", "beam", "kubeflow"}),
        baseline_model=to_beat.outputs["model"],
        hyperparameters=found,
    )
    report.add_upstream_node(pushed)  # whatever comes of the page, a blessed model is pushed
    card = around.card and around.card(report.outputs["report"], pushed.outputs["pushed_model"])
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=f"{folder}/artifacts",
        components=[
            *around.further_nodes,
            *(node for node in (start, before, searched) if node),
            *(examples, statistics, schema, validator),
            *([spans] if spans else []),
            *(transformed, trained, to_beat, evaluated),
            *(node for node in (checked, served, pushed, report, card) if node),
        ],
        enable_cache=use_cache,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            f"{folder}/metadata.sqlite"
        )
        if around.metadata
        else None,
        beam_pipeline_args=config.beam.args() if around.beam_args is None else list(around.beam_args),
    )
