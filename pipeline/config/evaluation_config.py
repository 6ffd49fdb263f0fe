"""EvaluationConfig: the section `evaluation` of the configuration."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from efficientmixnet.components.evaluator.metric_names import GatedMetric
from efficientmixnet.modules.config.section import Section

Limit = Annotated[float, Field(ge=0)]


def _as_crossing(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Features = Annotated[tuple[str, ...], BeforeValidator(_as_crossing), Field(min_length=1)]


_LIMITS = {"thresholds": 0.97, "slice_thresholds": 0.5, "tolerances": 0.01, "slice_tolerances": 0.05}
"""By key, an example."""


class EvaluationConfig(Section):
    """How a model is measured, and what it must reach to be blessed."""

    thresholds: dict[GatedMetric, float] = {}
    """The worst value of each metric that is blessed, such as {accuracy: 0.9}. Without accuracy, its threshold is the
    least accuracy that a guess, at random or always the most frequent class, reaches in at most 5 % of cases. If there
    are too few images for one, no model is blessed."""
    tolerances: dict[GatedMetric, Limit] = {"accuracy": 0.0}
    """How much worse than the latest blessed model's a metric may be."""
    slices: tuple[Features, ...] = ()
    """Features to slice the metrics by, in addition to the label: image/format, a column of a manifest, or several
    features such as [camera, image/format] for each combination of their values."""
    slice_thresholds: dict[GatedMetric, Limit] = {}
    """The worst value of each metric that is blessed in each slice and each label, such as {accuracy: 0.5}."""
    slice_tolerances: dict[GatedMetric, Limit] = {}
    """How much worse than the latest blessed model's a metric may be in each slice and each label."""
    min_slice_size: int = Field(30, ge=1, lt=2**31)
    """Slices with fewer images are measured, but have no thresholds or tolerances."""
    weight: str | None = None
    """The feature with each image's weight, such as a column of a manifest; null: all images have the same weight."""
    intervals: Literal["jackknife", "poisson_bootstrap"] | None = None
    """TFMA's method for a 95 % confidence interval of each metric in each slice; null: none. Counting then takes about
    twenty times as long. The report has its own intervals."""

    @model_validator(mode="after")
    def _limits_can_be_reached(self) -> "EvaluationConfig":
        for key, example in _LIMITS.items():
            for metric, value in getattr(self, key).items():
                if metric != "loss" and not 0 <= value <= 1:
                    raise ValueError(f"{key}.{metric}: should be from 0 to 1, such as {example}, not {value:g}")
                if metric == "loss" and "thresholds" in key and value <= 0:
                    raise ValueError(f"{key}.loss: should be above 0, such as 0.5, not {value:g}")
        if self.weight and "accuracy" not in self.thresholds:
            raise ValueError("weight: needs thresholds.accuracy, since the weight of each class is not known before")
        return self
