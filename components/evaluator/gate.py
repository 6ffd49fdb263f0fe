"""Gate: decides from the metrics whether a model is blessed, and writes the reasons."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from efficientmixnet.components.evaluator.metric_names import GATED_METRICS, METRICS
from efficientmixnet.components.evaluator.slices import Slice, overall_of, read_slices, short_name
from efficientmixnet.components.evaluator.verdict import Verdict
from efficientmixnet.modules import features

_BASELINE = "the latest blessed model"
_NAMED = 3  # slices in a reason, the worst ones first


@dataclass(frozen=True)
class Limit:
    """The limit of one metric in the slices by these features; without features, over all images."""

    metric: str
    features: frozenset[str]
    threshold: float | None
    tolerance: float | None

    def misses(self, slices: Sequence[Slice], baseline: str = _BASELINE) -> Iterator[str]:
        """Yields a reason for each slice that misses the limit; of many slices, for the worst ones.

        Args:
            slices: The slices by the limit's features.
            baseline: What the reasons call the baseline model.
        """
        sign = -1 if METRICS[self.metric].lower_is_better else 1
        prefix = "slice_" if self.features else ""
        if self.threshold is not None:
            key = f"evaluation.{prefix}thresholds.{self.metric}"
            margins = [(sign * (self._value(one) - self.threshold), one) for one in slices]
            does_not = f"is above {self.threshold:g}" if sign < 0 else f"does not reach {self.threshold:g}"
            yield from self._reasons(margins, lambda one: f"{does_not} ({key})", key)
        if self.tolerance is not None:
            key = f"evaluation.{prefix}tolerances.{self.metric}"
            compared = [one for one in slices if self.metric in one.baseline]
            margins = [
                (sign * (self._value(one) - one.baseline[self.metric]) + self.tolerance, one) for one in compared
            ]
            yield from self._reasons(
                margins,
                lambda one: (
                    f"is worse than {baseline}'s {one.baseline[self.metric]:.4f} "
                    f"by more than {self.tolerance:g} ({key})"
                ),
                key,
            )

    def passes(self, slices: Sequence[Slice], min_slice_size: int) -> Iterator[str]:
        """Yields the reasons for a model that misses no limit."""
        reaches = "stays within" if METRICS[self.metric].lower_is_better else "reaches"
        if self.threshold is not None and not self.features:
            yield from (f"{self.metric} {self._value(one):.4f} {reaches} {self.threshold:g}" for one in slices)
        elif self.threshold is not None and slices:
            kind = " and ".join(sorted(map(short_name, self.features)))
            counted = f"each of {len(slices)} slices by {kind} with {min_slice_size} or more images"
            yield f"{self.metric} {reaches} {self.threshold:g} in {counted}"

    def _value(self, one: Slice) -> float:
        return one.metrics.get(self.metric, float("nan"))

    def _reasons(self, margins: Sequence[tuple[float, Slice]], word: Any, key: str) -> Iterator[str]:
        # A value that is not a number misses every limit.
        missed = sorted(((margin, one) for margin, one in margins if not margin >= 0), key=lambda pair: pair[0])
        for _, one in missed[:_NAMED]:
            where = f" of {one.name} ({one.images:,.0f} images)" if one.values else ""
            yield f"{self.metric}{where} {self._value(one):.4f} {word(one)}"
        if len(missed) > _NAMED:
            yield f"and {len(missed) - _NAMED:,} more ({key})"


@dataclass(frozen=True)
class Gate:
    """The limits that a model must keep to be blessed.

    The Evaluator component takes them as JSON. TFMA measures and the gate decides: TFMA would hold a slice of three
    images to the same limits as one of a thousand.

    Args:
        thresholds: By metric, the worst value that is blessed.
        tolerances: By metric, how much worse than the baseline model's its value may be.
        slices: The features that images are sliced by, besides the label. Several features make one crossing.
        slice_thresholds: As thresholds, in every slice.
        slice_tolerances: As tolerances, in every slice.
        min_slice_size: Slices with fewer images have no limits.
    """

    thresholds: Mapping[str, float]
    tolerances: Mapping[str, float]
    slices: tuple[tuple[str, ...], ...] = ()
    slice_thresholds: Mapping[str, float] = field(default_factory=dict)
    slice_tolerances: Mapping[str, float] = field(default_factory=dict)
    min_slice_size: int = 30

    def to_json(self) -> str:
        """Returns the parameters as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Gate":
        """Returns the gate of these parameters."""
        parameters = json.loads(text)
        return cls(**parameters | {"slices": tuple(map(tuple, parameters["slices"]))})

    @property
    def slicings(self) -> tuple[tuple[str, ...], ...]:
        """The features of each slicing, the label's first."""
        return ((features.LABEL,), *self.slices)

    def judge(self, uri: str, weight: str = "") -> Verdict:
        """Decides whether the model is blessed.

        Args:
            uri: The folder that TFMA wrote the metrics to.
            weight: The feature that the metrics were weighted by; empty for none.

        Returns:
            The verdict with its reason. Without a measured image, or a threshold for the accuracy, the model is not
            blessed.
        """
        slices = list(read_slices(uri))
        overall = overall_of(slices)
        misses, passes = self.check(slices)
        if overall.baseline:
            passes.append(f"no worse than the latest blessed model ({overall.baseline['accuracy']:.4f})")
        else:
            passes.append("no earlier model was blessed, so there is nothing to compare with")
        if not overall.metrics:
            misses.append("no image of the evaluation split could be measured")
        elif "accuracy" not in self.thresholds:  # The pipeline sets it wherever the images suffice.
            misses.append(
                f"{overall.images:,.0f} evaluation images are too few to tell a model from a guess (add images, or set "
                "evaluation.thresholds.accuracy)"
            )
        empty = list(self.empty(slices))
        reason = "; ".join([*misses, *empty]) if misses else ", ".join([*passes, *empty])
        return Verdict(
            not misses, reason, dict(overall.metrics), dict(overall.baseline), dict(overall.intervals), weight=weight
        )

    def check(self, slices: Sequence[Slice], baseline: str = _BASELINE) -> tuple[list[str], list[str]]:
        """Compares the metrics with the limits.

        Args:
            slices: The metrics of each slice, and of all images.
            baseline: What the reasons call the baseline model.

        Returns:
            The reasons of the limits that are missed, and of those that are kept.
        """
        misses: list[str] = []
        passes: list[str] = []
        for limit in self._limits():
            checked = [
                one
                for one in slices
                if one.features == limit.features and (not limit.features or one.images >= self.min_slice_size)
            ]
            missed = list(limit.misses(checked, baseline))
            misses += missed
            passes += [] if missed else limit.passes(checked, self.min_slice_size)
        return misses, passes

    def _limits(self) -> Iterator[Limit]:
        for metric in GATED_METRICS:
            yield Limit(metric, frozenset(), self.thresholds.get(metric), self.tolerances.get(metric))
            for slicing in self.slicings:
                if metric == "macro_f1" and features.LABEL in slicing:
                    continue  # A mean over classes says nothing about the images of one class.
                threshold, tolerance = self.slice_thresholds.get(metric), self.slice_tolerances.get(metric)
                yield Limit(metric, frozenset(slicing), threshold, tolerance)

    def empty(self, slices: Sequence[Slice]) -> Iterator[str]:
        """Yields a note for each slicing whose features no image has."""
        found = {one.features for one in slices}
        for slicing in self.slicings:
            if frozenset(slicing) not in found:
                yield f"no image has {' and '.join(slicing)} (evaluation.slices)"
