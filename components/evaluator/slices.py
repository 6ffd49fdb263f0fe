"""Slice: the metrics of the images with the same values of some features."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from efficientmixnet.modules import features

BASELINE = "baseline"  # TFX's name for the baseline model
COUNT = "example_count"


@dataclass(frozen=True)
class Slice:
    """The metrics of a slice. A slice without values holds all images.

    Args:
        values: The slice's features and their values.
        metrics: The candidate's metrics by name.
        baseline: The baseline model's metrics by name; empty without a baseline model.
        intervals: The low and high end of TFMA's 95 % confidence interval of each of the candidate's metrics.
    """

    values: tuple[tuple[str, str], ...]
    metrics: Mapping[str, float]
    baseline: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]

    @property
    def features(self) -> frozenset[str]:
        return frozenset(feature for feature, _ in self.values)

    @property
    def images(self) -> float:
        return self.metrics.get(COUNT, 0.0)

    @property
    def name(self) -> str:
        """The values as text, such as "format JPEG and label 3"."""
        parts = (f"{'label' if name == features.LABEL else short_name(name)} {value}" for name, value in self.values)
        return " and ".join(parts)


def read_slices(uri: str) -> Iterator[Slice]:
    """Yields each slice that TFMA wrote to the folder `uri`."""
    import tensorflow_model_analysis as tfma  # takes seconds

    for one in tfma.load_metrics(uri):
        by_model: dict[str, dict[str, float]] = {}
        intervals = {}
        for item in one.metric_keys_and_values:
            if item.value.WhichOneof("type") == "double_value" and not item.key.is_diff:
                by_model.setdefault(item.key.model_name, {})[item.key.name] = item.value.double_value.value
                if item.HasField("confidence_interval") and item.key.model_name != BASELINE:
                    ends = item.confidence_interval.lower_bound, item.confidence_interval.upper_bound
                    intervals[item.key.name] = tuple(end.double_value.value for end in ends)
        baseline = by_model.pop(BASELINE, {})
        values = tuple(
            (key.column, _text(getattr(key, key.WhichOneof("kind")))) for key in one.slice_key.single_slice_keys
        )
        yield Slice(values, next(iter(by_model.values()), {}), baseline, intervals)


def overall_of(slices: Iterable[Slice]) -> Slice:
    """Returns the slice of all images. It has no metrics if no image was measured."""
    return next((one for one in slices if not one.values), Slice((), {}, {}, {}))


def short_name(feature: str) -> str:
    """Returns the feature's name without the prefix of our own features."""
    return feature.removeprefix("image/")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else f"{value:g}"
