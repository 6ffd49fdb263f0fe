"""The gate: which bounds a model misses, over all images and in each slice that has images enough, in words.

TFMA holds the model to the bounds over all images. Those of slices are held here alone, since to TFMA a slice of
three images is as good as one of a thousand.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow_model_analysis as tfma

from efficientmixnet.components.evaluator.verdict import Verdict
from efficientmixnet.modules import features

_BASELINE = "baseline"  # TFX's name for the model to beat
_COUNT = "example_count"
_NAMED = 3  # slices that miss the same bound are named, the worst ones first


@dataclass(frozen=True)
class Slice:
    """The images that have these values, and what was measured on them."""

    values: tuple[tuple[str, str], ...]  # by feature; none for all images
    metrics: Mapping[str, float]
    baseline: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]

    @property
    def name(self) -> str:
        """As in a sentence: label 3, format JPEG and camera left."""
        parts = (f"{'label' if name == features.LABEL else _short(name)} {value}" for name, value in self.values)
        return " and ".join(parts)


@dataclass(frozen=True)
class Bound:
    """What a metric has to keep in the slices by these features; by none: over all images."""

    metric: str
    features: frozenset[str]
    higher_is_better: bool
    worst: float | None
    tolerance: float | None

    def misses(self, slices: Sequence[Slice]) -> Iterator[str]:
        """Each miss in words; of many slices that miss the same, the worst ones."""
        sign = 1 if self.higher_is_better else -1
        prefix = "slice_" if self.features else ""
        if self.worst is not None:
            key = f"evaluation.{prefix}thresholds.{self.metric}"
            margins = [(sign * (self._value(one) - self.worst), one) for one in slices]
            does_not = f"does not reach {self.worst:g}" if self.higher_is_better else f"is above {self.worst:g}"
            yield from self._in_words(margins, lambda one: f"{does_not} ({key})", key)
        if self.tolerance is not None:
            key = f"evaluation.{prefix}tolerances.{self.metric}"
            compared = [one for one in slices if self.metric in one.baseline]
            margins = [
                (sign * (self._value(one) - one.baseline[self.metric]) + self.tolerance, one) for one in compared
            ]
            yield from self._in_words(
                margins,
                lambda one: (
                    f"is worse than the latest blessed model's {one.baseline[self.metric]:.4f} "
                    f"by more than {self.tolerance:g} ({key})"
                ),
                key,
            )

    def praise(self, slices: Sequence[Slice], least: int) -> Iterator[str]:
        """That no slice misses it."""
        reaches = "reaches" if self.higher_is_better else "stays within"
        if self.worst is not None and not self.features:
            yield from (f"{self.metric} {self._value(one):.4f} {reaches} {self.worst:g}" for one in slices)
        elif self.worst is not None and slices:
            kind = " and ".join(sorted(map(_short, self.features)))
            counted = f"each of {len(slices)} slices by {kind} with {least} or more images"
            yield f"{self.metric} {reaches} {self.worst:g} in {counted}"

    def _value(self, one: Slice) -> float:
        return one.metrics.get(self.metric, float("nan"))

    def _in_words(self, margins: Sequence[tuple[float, Slice]], word: Any, key: str) -> Iterator[str]:
        # What is no number holds no bound.
        missing = sorted(((margin, one) for margin, one in margins if not margin >= 0), key=lambda pair: pair[0])
        for _, one in missing[:_NAMED]:
            where = f" of {one.name} ({one.metrics.get(_COUNT, 0):,.0f} images)" if one.values else ""
            yield f"{self.metric}{where} {self._value(one):.4f} {word(one)}"
        if len(missing) > _NAMED:
            yield f"so do {len(missing) - _NAMED:,} more slices ({key})"


def overall_alone(config: tfma.EvalConfig) -> tfma.EvalConfig:
    """The configuration as TFMA is to have it: with no bounds on slices, and no slice hidden."""
    reduced = tfma.EvalConfig()
    reduced.CopyFrom(config)
    reduced.options.ClearField("min_slice_size")
    for metric in (metric for spec in reduced.metrics_specs for metric in spec.metrics):
        kept = [gate for gate in metric.per_slice_thresholds if not gate.slicing_specs[0].feature_keys]
        metric.ClearField("per_slice_thresholds")
        metric.per_slice_thresholds.extend(kept)
    return reduced


def judge(uri: str, config: tfma.EvalConfig) -> Verdict:
    """Judges by the metrics that TFMA left at `uri`, and by the whole configuration's bounds.

    A slice counts if it has `options.min_slice_size` images.
    """
    slices = list(_read_slices(uri))
    overall = next((one for one in slices if not one.values), Slice((), {}, {}, {}))
    least = config.options.min_slice_size.value
    misses: list[str] = []
    praise: list[str] = []
    for bound in _bounds(config):
        held = [
            one
            for one in slices
            if frozenset(feature for feature, _ in one.values) == bound.features
            and (not bound.features or one.metrics.get(_COUNT, 0) >= least)
        ]
        misses += bound.misses(held)
        praise += bound.praise(held, least)
    if overall.baseline:
        praise.append(f"no worse than the latest blessed model ({overall.baseline['accuracy']:.4f})")
    else:
        praise.append("there is no blessed model yet to compare with")
    blessed = tfma.load_validation_result(uri).validation_ok and not misses
    if not blessed and not misses:
        misses = ["no image of the evaluation split could be measured"]
    notes = list(_empty(config, slices))
    reason = ", ".join([*praise, *notes]) if blessed else "; ".join([*misses, *notes])
    weight = config.model_specs[0].example_weight_key
    return Verdict(
        blessed, reason, dict(overall.metrics), dict(overall.baseline), dict(overall.intervals), weight=weight
    )


def _bounds(config: tfma.EvalConfig) -> Iterator[Bound]:
    for metric in (metric for spec in config.metrics_specs for metric in spec.metrics):
        for gate in metric.per_slice_thresholds:
            value, change = gate.threshold.value_threshold, gate.threshold.change_threshold
            has_value, has_change = (gate.threshold.HasField(one) for one in ("value_threshold", "change_threshold"))
            yield Bound(
                metric=json.loads(metric.config)["name"],
                features=frozenset(gate.slicing_specs[0].feature_keys),
                higher_is_better=value.HasField("lower_bound")
                or change.direction == tfma.MetricDirection.HIGHER_IS_BETTER,
                worst=(value.lower_bound.value if value.HasField("lower_bound") else value.upper_bound.value)
                if has_value
                else None,
                tolerance=abs(change.absolute.value) if has_change else None,
            )


def _empty(config: tfma.EvalConfig, slices: Sequence[Slice]) -> Iterator[str]:
    """What the configuration asks for and no image has."""
    found = {frozenset(feature for feature, _ in one.values) for one in slices}
    for keys in (list(spec.feature_keys) for spec in config.slicing_specs if spec.feature_keys):
        if frozenset(keys) not in found:
            yield f"no image has {' and '.join(keys)} (evaluation.slices)"


def _read_slices(uri: str) -> Iterator[Slice]:
    for one in tfma.load_metrics(uri):
        by_model: dict[str, dict[str, float]] = {}
        intervals = {}
        for item in one.metric_keys_and_values:
            if item.value.WhichOneof("type") == "double_value" and not item.key.is_diff:
                by_model.setdefault(item.key.model_name, {})[item.key.name] = item.value.double_value.value
                if item.HasField("confidence_interval") and item.key.model_name != _BASELINE:
                    bounds = item.confidence_interval.lower_bound, item.confidence_interval.upper_bound
                    intervals[item.key.name] = tuple(bound.double_value.value for bound in bounds)
        baseline = by_model.pop(_BASELINE, {})
        values = tuple(
            (key.column, _text(getattr(key, key.WhichOneof("kind")))) for key in one.slice_key.single_slice_keys
        )
        yield Slice(values, next(iter(by_model.values()), {}), baseline, intervals)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else f"{value:g}"


def _short(feature: str) -> str:
    return feature.removeprefix("image/")
