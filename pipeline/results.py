"""What a run left in ML Metadata: its artifacts, and from them metrics, verdict and places."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import tensorflow_model_analysis as tfma
from ml_metadata.proto import metadata_store_pb2


@dataclass(frozen=True)
class Verdict:
    """Evaluator's word on the model."""

    blessed: bool
    reason: str
    metrics: dict[str, float]
    baseline_metrics: dict[str, float]


class Results:
    """The artifacts of the latest run that the database `metadata` knows."""

    def __init__(self, metadata: Path) -> None:
        connection = metadata_store_pb2.ConnectionConfig()
        connection.sqlite.filename_uri = str(metadata)
        connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
        self._artifacts = _latest_artifacts(mlmd.MetadataStore(connection))

    def uri(self, type_name: str) -> str | None:
        """Where the run's artifact of this type lies."""
        artifact = self._artifacts.get(type_name)
        return artifact and artifact.uri

    def custom_property(self, type_name: str, name: str) -> Any:
        """A custom property of the run's artifact of this type."""
        artifact = self._artifacts.get(type_name)
        if artifact is None or name not in artifact.custom_properties:
            return None
        value = artifact.custom_properties[name]
        return getattr(value, value.WhichOneof("value"))

    def verdict(self, thresholds: Mapping[Any, float], tolerances: Mapping[Any, float]) -> Verdict | None:
        """The evaluation's result, its reason in words; None where there was no evaluation."""
        uri = self.uri("ModelEvaluation")
        if uri is None:
            return None
        metrics, baseline = _metrics(uri)
        validation = tfma.load_validation_result(uri)
        failures = [failure for one in validation.metric_validations_per_slice for failure in one.failures]
        reasons = [_reason(failure, metrics, baseline, thresholds, tolerances) for failure in failures]
        if not validation.validation_ok and not reasons:
            reasons = ["no picture of the evaluation split could be measured"]
        reason = "; ".join(reasons) or _praise(metrics, baseline, thresholds)
        return Verdict(validation.validation_ok, reason, metrics, baseline)


def _latest_artifacts(store: mlmd.MetadataStore) -> dict[str, metadata_store_pb2.Artifact]:
    """The output artifacts of the latest run, by their type's name; of several of a type the first one."""
    run = max(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
    executions = [execution.id for execution in store.get_executions_by_context(run.id)]
    outputs = [
        event.artifact_id
        for event in store.get_events_by_execution_ids(executions)
        if event.type == metadata_store_pb2.Event.OUTPUT
    ]
    # Transform's examples come later than ImageExampleGen's, which are meant.
    latest_first = sorted(store.get_artifacts_by_id(outputs), key=lambda artifact: artifact.id, reverse=True)
    return {artifact.type: artifact for artifact in latest_first}


def _metrics(uri: str) -> tuple[dict[str, float], dict[str, float]]:
    """Candidate's and baseline's single numbers over all pictures."""
    by_model: dict[str, dict[str, float]] = {}
    for one in tfma.load_metrics(uri):
        if one.slice_key.single_slice_keys:
            continue
        for item in one.metric_keys_and_values:
            if item.value.WhichOneof("type") == "double_value" and not item.key.is_diff:
                by_model.setdefault(item.key.model_name, {})[item.key.name] = item.value.double_value.value
    baseline = by_model.pop("baseline", {})
    return next(iter(by_model.values()), {}), baseline


def _reason(
    failure: Any,
    metrics: Mapping[str, float],
    baseline: Mapping[str, float],
    thresholds: Mapping[Any, float],
    tolerances: Mapping[Any, float],
) -> str:
    name = failure.metric_key.name
    value = metrics.get(name, float("nan"))
    if failure.metric_key.is_diff:
        return (
            f"{name} {value:.4f} is worse than the latest blessed model's {baseline[name]:.4f} "
            f"by more than {tolerances[name]:g} (evaluation.tolerances.{name})"
        )
    return f"{name} {value:.4f} does not reach {thresholds[name]:g} (evaluation.thresholds.{name})"


def _praise(metrics: Mapping[str, float], baseline: Mapping[str, float], thresholds: Mapping[Any, float]) -> str:
    passed = [f"{name} {metrics[name]:.4f} reaches {bound:g}" for name, bound in thresholds.items()]
    if baseline:
        passed.append(f"no worse than the latest blessed model ({baseline['accuracy']:.4f})")
    else:
        passed.append("there is no blessed model yet to compare with")
    return ", ".join(passed)
