"""Nodes: creates each node of the pipeline from the configuration."""

import json
from functools import cached_property
from typing import Any

from tfx import v1 as tfx
from tfx.types import BaseChannel

from efficientmixnet.components.evaluator.component import evaluator
from efficientmixnet.components.example_validator.component import ExampleValidator
from efficientmixnet.components.image_example_gen.component import ImageExampleGen
from efficientmixnet.components.image_example_gen.split_names import TEST, TRAIN
from efficientmixnet.components.infra_validator import infra_validator
from efficientmixnet.components.report.component import Report
from efficientmixnet.components.schema_gen import SchemaGen
from efficientmixnet.components.serving_check.component import ServingCheck
from efficientmixnet.components.statistics_gen import statistics_gen
from efficientmixnet.components.trainer import trainer
from efficientmixnet.components.transform import transform
from efficientmixnet.components.tuner.component import tuner
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.environment import Environment


class Nodes:
    """The nodes of the pipeline. Each is created once, and is None if the configuration does not need it."""

    def __init__(self, config: Config, fingerprint: Any, environment: Environment) -> None:
        self._config, self._fingerprint, self._environment = config, fingerprint, environment

    @cached_property
    def examples(self) -> Any:
        data = self._config.data
        return ImageExampleGen(
            images=data.images,
            manifest=data.manifest or "",
            splits=json.dumps(data.splits),
            max_left_out=data.max_left_out,
            max_pixels=data.max_pixels,
            fingerprint=self._fingerprint,
            layout=data.layout.model_dump_json(exclude_defaults=True),
            split_names=json.dumps(data.split_names),
            group=data.group or "",
            near_duplicates=int(data.near_duplicates),
            max_image_bytes=data.max_image_bytes,
            channels=0 if data.channels == "auto" else data.channels,
            corrections=data.corrections or "",
        )

    @cached_property
    def statistics(self) -> Any:
        return statistics_gen(self._all_examples)

    @cached_property
    def schema(self) -> Any:
        data = self._config.data
        if data.schema_file:
            return tfx.components.ImportSchemaGen(schema_file=data.schema_file).with_id("SchemaGen")
        others = sorted({*data.splits, TEST} - {TRAIN})  # The data may name a test split that is not configured.
        return SchemaGen(self.statistics.outputs["statistics"], others)

    @cached_property
    def previous_statistics(self) -> Any:
        if not self._config.data.drift:
            return None
        return self._environment.previous_statistics(self._all_examples, self.statistics.outputs["statistics"])

    @cached_property
    def validator(self) -> Any:
        data = self._config.data
        return ExampleValidator(
            statistics=self.statistics.outputs["statistics"],
            schema=self.schema.outputs["schema"],
            previous=_output(self.previous_statistics, "previous"),
            drift=data.drift,
            skew=data.skew,
            served=data.served,
        )

    @cached_property
    def latest_examples(self) -> Any:
        count = self._config.data.training_spans
        if count == 1:
            return None
        return self._environment.spans(self._all_examples, self.statistics.outputs["statistics"], count)

    @cached_property
    def transformed(self) -> Any:
        config = self._config
        examples = _output(self.latest_examples, "examples") or self._all_examples
        schema = self.schema.outputs["schema"]
        node = transform(examples, schema, list(config.data.splits), config.network.stored_side)
        node.with_beam_pipeline_args(config.beam.args_of_transform(self._environment.image_bytes))
        node.add_upstream_node(self.validator)  # An anomaly stops the run before Transform starts.
        return node

    @cached_property
    def starting_model(self) -> Any:
        if self._config.network.weights != "latest":
            return None
        return self._environment.warm_start(self.schema.outputs["schema"])

    @cached_property
    def search(self) -> Any:
        search = self._config.search
        if not search.space:
            return None
        custom_config = {**self._training_config, "search": search.model_dump(mode="json")}
        return tuner(*self._training_data, custom_config, base_model=_output(self.starting_model, "model"))

    @cached_property
    def trained(self) -> Any:
        return trainer(
            *self._training_data,
            self._training_config,
            base_model=_output(self.starting_model, "model"),
            hyperparameters=_output(self.search, "best_hyperparameters"),
        )

    @cached_property
    def baseline(self) -> Any:
        return self._environment.baseline(self._model)

    @cached_property
    def evaluation(self) -> Any:
        return evaluator(
            self._all_examples,
            self._model,
            self.baseline.outputs["model"],
            self.schema.outputs["schema"],
            **self._config.evaluation.model_dump(),
        )

    @cached_property
    def serving_check(self) -> Any:
        return ServingCheck(
            model=self._model,
            examples=self._all_examples,
            transformed_examples=self.transformed.outputs["transformed_examples"],
            config=json.dumps(self._config.model),
        )

    @cached_property
    def infra_validator(self) -> Any:
        serving = self._config.serving
        if not serving.infra_validator:
            return None
        node = infra_validator(
            self._model, self._all_examples, serving.infra_validator, serving.image, serving.tag, serving.docker
        )
        node.add_upstream_node(self.serving_check)  # It finds most problems sooner.
        return node

    @cached_property
    def pushed(self) -> Any:
        infra_blessing = _output(self.infra_validator, "blessing")
        report = self.report.outputs["report"] if self._environment.reports_first else None
        node = self._environment.pusher(self._model, self.evaluation.outputs["blessing"], infra_blessing, report)
        node.add_upstream_node(self.serving_check)
        return node

    @cached_property
    def report(self) -> Any:
        node = Report(
            examples=self._all_examples,
            statistics=self.statistics.outputs["statistics"],
            model=self._model,
            model_run=self.trained.outputs["model_run"],
            evaluation=self.evaluation.outputs["evaluation"],
            config=self._config.model_dump_json(exclude={"serving", "report", "beam", "kubeflow"}),
            baseline_model=self.baseline.outputs["model"],
            hyperparameters=_output(self.search, "best_hyperparameters"),
        )
        if not self._environment.reports_first:
            node.add_upstream_node(self.pushed)  # A blessed model is pushed even if the report fails.
        return node

    @property
    def _all_examples(self) -> BaseChannel:
        return self.examples.outputs["examples"]

    @property
    def _model(self) -> BaseChannel:
        return self.trained.outputs["model"]

    @property
    def _training_data(self) -> tuple[BaseChannel, BaseChannel, BaseChannel]:
        outputs = self.transformed.outputs
        return outputs["transformed_examples"], outputs["transform_graph"], self.schema.outputs["schema"]

    @property
    def _training_config(self) -> dict[str, Any]:
        found = {"model": self._config.model, "checkpoints": self._environment.checkpoints}
        if self._config.network.weights == "latest" and self._config.training.budget is not None:
            # Trainer gets all keys, so it cannot tell which ones were given.
            found["without_weights"] = self._config.without_weights.model_dump(mode="json")
        return found


def _output(node: Any, name: str) -> BaseChannel | None:
    return node.outputs[name] if node else None
