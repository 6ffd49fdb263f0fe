"""EvaluationConfig: the section `evaluation` of the configuration."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from efficientmixnet.modules.config.section import Section

Metric = Literal["accuracy", "top_3", "balanced_accuracy", "macro_f1", "loss", "calibration_error"]
Bound = Annotated[float, Field(ge=0)]


def _as_crossing(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Features = Annotated[tuple[str, ...], BeforeValidator(_as_crossing), Field(min_length=1)]


class EvaluationConfig(Section):
    thresholds: dict[Metric, float] = {}
    """The worst value that is blessed, such as {accuracy: 0.9}; with no accuracy here, always naming the most
    frequent class must be beaten."""
    tolerances: dict[Metric, Bound] = {"accuracy": 0.0}
    """How much worse than the latest blessed model's a metric may be."""
    slices: tuple[Features, ...] = ()
    """Features by whose values images are measured apart, beside the label: image/format, a manifest's column, or
    [camera, image/format] for each pair of values."""
    slice_thresholds: dict[Metric, Bound] = {}
    """The worst value that is blessed in each slice, those by label included, such as {accuracy: 0.5}."""
    slice_tolerances: dict[Metric, Bound] = {}
    """How much worse than the latest blessed model's a metric may be in a slice."""
    least_images: int = Field(30, ge=1)
    """A slice with fewer images is measured, but held to no bound."""
    weight: str | None = None
    """The feature, such as a manifest's column, that says how much each image counts; null: all the same."""
    intervals: Literal["jackknife", "poisson_bootstrap"] | None = None
    """TFMA's 95 % interval of each metric and slice, in some twenty times the counting; the report has its own."""

    @model_validator(mode="after")
    def _shares_are_shares(self) -> "EvaluationConfig":
        for key in ("thresholds", "slice_thresholds"):
            for metric, value in getattr(self, key).items():
                if metric != "loss" and not 0 <= value <= 1:
                    raise ValueError(f"{key}.{metric}: {value:g} is no share; give one from 0 to 1, such as 0.97")
        if self.weight and "accuracy" not in self.thresholds:
            raise ValueError("weight: what the most frequent class will weigh is not known; give thresholds.accuracy")
        return self
