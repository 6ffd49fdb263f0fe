"""ExampleValidator that stops the run: an anomaly ends it, with the feature and the reason, before training."""

import json
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx import types
from tfx import v1 as tfx
from tfx.components.example_validator import executor
from tfx.dsl.components.base import executor_spec

from efficientmixnet.modules import features
from efficientmixnet.modules.bad_input import BadInput


class _Executor(executor.Executor):
    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> Any:
        result = super().Do(input_dict, output_dict, exec_properties)
        (anomalies,) = output_dict["anomalies"]
        found = []
        for split in json.loads(anomalies.split_names):
            with tfx.dsl.io.fileio.open(f"{anomalies.uri}/Split-{split}/{executor.DEFAULT_FILE_NAME}", "rb") as file:
                found += describe(anomalies_pb2.Anomalies.FromString(file.read()), split)
        if found:
            raise BadInput("the data does not fit its schema: " + "; ".join(found))
        return result

    def _Validate(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> anomalies_pb2.Anomalies:
        # Of a picture's bytes and name there are no statistics; without them TFDV would find these columns missing.
        described = schema_pb2.Schema()
        described.CopyFrom(inputs["schema"])
        kept = [feature for feature in described.feature if feature.name not in features.UNDESCRIBED_FEATURES]
        described.ClearField("feature")
        described.feature.extend(kept)
        return super()._Validate({**inputs, "schema": described}, outputs)


class ExampleValidator(tfx.components.ExampleValidator):
    """Compares each split's statistics with the schema.

    Its executor raises BadInput with every anomaly.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)


def describe(anomalies: anomalies_pb2.Anomalies, split: str) -> list[str]:
    """Each anomaly of the split as half a sentence."""
    lines = []
    for name, anomaly in sorted(anomalies.anomaly_info.items()):
        if name == features.LABEL:
            lines.append(
                f"{anomaly.description.rstrip('.')} for the label in the split {split!r}, which training never saw; "
                "add pictures of these classes, or raise the train share in data.splits"
            )
        else:
            lines.append(f"{name} in the split {split!r}: {anomaly.description.rstrip('.')}")
    if anomalies.HasField("dataset_anomaly_info"):
        lines.append(f"the split {split!r}: {anomalies.dataset_anomaly_info.description.rstrip('.')}")
    return lines
