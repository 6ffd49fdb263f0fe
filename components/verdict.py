"""The gate's verdict: what Evaluator decided, and why, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx import v1 as tfx

BASELINE = "baseline"  # TFX's name for the model to beat


@dataclass(frozen=True)
class Verdict:
    """Evaluator's word on the model; the metrics are single numbers over all pictures."""

    blessed: bool
    reason: str
    metrics: dict[str, float]
    baseline_metrics: dict[str, float]


def read_verdict(uri: str) -> Verdict:
    """Reads the evaluation that lies at `uri`."""
    metrics, baseline = _metrics(uri)
    validation = tfma.load_validation_result(uri)
    failures = [failure for one in validation.metric_validations_per_slice for failure in one.failures]
    reasons = [_reason(failure, metrics, baseline) for failure in failures]
    if not validation.validation_ok and not reasons:
        reasons = ["no picture of the evaluation split could be measured"]
    reason = "; ".join(reasons) or _praise(metrics, baseline, dict(_bounds(uri)))
    return Verdict(validation.validation_ok, reason, metrics, baseline)


def _metrics(uri: str) -> tuple[dict[str, float], dict[str, float]]:
    """Candidate's and baseline's."""
    by_model: dict[str, dict[str, float]] = {}
    for one in tfma.load_metrics(uri):
        if one.slice_key.single_slice_keys:
            continue
        for item in one.metric_keys_and_values:
            if item.value.WhichOneof("type") == "double_value" and not item.key.is_diff:
                by_model.setdefault(item.key.model_name, {})[item.key.name] = item.value.double_value.value
    baseline = by_model.pop(BASELINE, {})
    return next(iter(by_model.values()), {}), baseline


def _bounds(uri: str) -> Iterator[tuple[str, float]]:
    """By metric the worst value that is blessed, over all pictures."""
    with tfx.dsl.io.fileio.open(f"{uri}/eval_config.json") as file:
        config = json_format.ParseDict(json.load(file)["evalConfig"], tfma.EvalConfig())
    for metric in (metric for spec in config.metrics_specs for metric in spec.metrics):
        for gate in metric.per_slice_thresholds:
            value = gate.threshold.value_threshold
            if gate.threshold.HasField("value_threshold"):
                bound = value.lower_bound if value.HasField("lower_bound") else value.upper_bound
                yield json.loads(metric.config)["name"], bound.value


def _reason(failure: Any, metrics: Mapping[str, float], baseline: Mapping[str, float]) -> str:
    name, threshold = failure.metric_key.name, failure.metric_threshold
    value = metrics.get(name, float("nan"))
    if failure.metric_key.is_diff:
        return (
            f"{name} {value:.4f} is worse than the latest blessed model's {baseline[name]:.4f} by more than "
            f"{abs(threshold.change_threshold.absolute.value):g} (evaluation.tolerances.{name})"
        )
    bounds = threshold.value_threshold
    if bounds.HasField("lower_bound"):
        return f"{name} {value:.4f} does not reach {bounds.lower_bound.value:g} (evaluation.thresholds.{name})"
    return f"{name} {value:.4f} is above {bounds.upper_bound.value:g} (evaluation.thresholds.{name})"


def _praise(metrics: Mapping[str, float], baseline: Mapping[str, float], bounds: Mapping[str, float]) -> str:
    passed = [f"{name} {metrics[name]:.4f} reaches {bound:g}" for name, bound in bounds.items()]
    if baseline:
        passed.append(f"no worse than the latest blessed model ({baseline['accuracy']:.4f})")
    else:
        passed.append("there is no blessed model yet to compare with")
    return ", ".join(passed)
