"""The ExampleValidator component: stops the run before training if the data has anomalies, drift or skew."""

import json
from collections.abc import Mapping
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import types
from tfx import v1 as tfx
from tfx.components.example_validator import executor
from tfx.dsl.components.base import executor_spec
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.components.example_validator import drift
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput


class _Executor(executor.Executor):
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> Any:
        result = super().Do(input_dict, output_dict, exec_properties)
        (anomalies,) = output_dict["anomalies"]
        found = []
        for split in json.loads(anomalies.split_names):
            with tfx.dsl.io.fileio.open(f"{anomalies.uri}/Split-{split}/{executor.DEFAULT_FILE_NAME}", "rb") as file:
                found += describe(anomalies_pb2.Anomalies.FromString(file.read()), split)
        if found:
            raise BadInput("the data does not fit the schema: " + "; ".join(found))
        moved = _moved(input_dict, exec_properties)
        if moved:
            raise BadInput("the data has changed: " + "; ".join(moved))
        return result

    def _Validate(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> anomalies_pb2.Anomalies:
        # There are no statistics of images' bytes and names. TFDV would report these features as missing.
        described = schema_pb2.Schema()
        described.CopyFrom(inputs["schema"])
        kept = [feature for feature in described.feature if feature.name not in features.UNDESCRIBED_FEATURES]
        described.ClearField("feature")
        described.feature.extend(kept)
        return super()._Validate({**inputs, "schema": described}, outputs)


class _Spec(types.standard_component_specs.ExampleValidatorSpec):
    PARAMETERS = {
        **types.standard_component_specs.ExampleValidatorSpec.PARAMETERS,
        **{name: ExecutionParameter(type=str, optional=True) for name in ("drift", "skew", "served")},
    }
    INPUTS = {
        **types.standard_component_specs.ExampleValidatorSpec.INPUTS,
        "previous": ChannelParameter(type=tfx.types.standard_artifacts.ExampleStatistics, optional=True),
    }


class ExampleValidator(tfx.components.ExampleValidator):
    """TFX's ExampleValidator, which also measures drift and skew, and stops the run.

    The executor compares each split's statistics with the schema, and the training split's with those of the previous
    data and of served images. It raises BadInput with every anomaly.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        statistics: tfx.types.BaseChannel,
        schema: tfx.types.BaseChannel,
        previous: tfx.types.BaseChannel | None = None,
        drift: Mapping[str, float] | None = None,
        skew: Mapping[Any, float] | None = None,
        served: str | None = None,
    ) -> None:
        """Makes the component.

        Args:
            statistics: The statistics of all splits.
            schema: The schema of the examples.
            previous: The statistics of the previous data; the channel may be empty.
            drift: By feature, the largest distance from the previous data.
            skew: By feature, the largest distance from the served images.
            served: The folder of the served images.
        """
        spec = _Spec(
            statistics=statistics,
            schema=schema,
            anomalies=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ExampleAnomalies),
            exclude_splits="[]",
            custom_validation_config=None,
            previous=previous,
            drift=json.dumps(drift or {}),
            skew=json.dumps(skew or {}),
            served=served or "",
        )
        super(tfx.components.ExampleValidator, self).__init__(spec=spec)


def _moved(input_dict: Artifacts, properties: dict[str, Any]) -> list[str]:
    (now,) = input_dict["statistics"]
    before = input_dict.get("previous")
    found = []
    if before and (thresholds := json.loads(properties["drift"])):
        found += drift.drift(_training(now), _training(before[0]), thresholds)
    if thresholds := json.loads(properties.get("skew") or "{}"):
        found += drift.skew(_training(now), drift.served_statistics(properties["served"]), thresholds)
    return found


def _training(statistics: types.Artifact) -> statistics_pb2.DatasetFeatureStatisticsList:
    return tfdv.load_stats_binary(f"{statistics.uri}/Split-train/FeatureStats.pb")


def describe(anomalies: anomalies_pb2.Anomalies, split: str) -> list[str]:
    """Returns a message for each anomaly of a split."""
    lines = []
    for name, anomaly in sorted(anomalies.anomaly_info.items()):
        line = f"{name} in the split {split!r}: {anomaly.description.rstrip('. ')}"
        if name == features.LABEL:
            line += (
                ". The training split does not have these classes. "
                "Add images of them to it, or raise its fraction in data.splits"
            )
        lines.append(line)
    if anomalies.HasField("dataset_anomaly_info"):
        lines.append(f"the split {split!r}: {anomalies.dataset_anomaly_info.description.rstrip('. ')}")
    return lines
