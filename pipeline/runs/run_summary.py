"""Summary: what came of a run, for machines; docs/summary.md explains each field."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

SUMMARY_FILE = "summary.json"


class Images(BaseModel):
    """How many images there were."""

    read: int
    left_out: int
    left_out_by_reason: dict[str, int] = {}


class Search(BaseModel):
    """What a search has found."""

    trials: int
    failed: int = 0
    objective: str
    best: float
    values: dict[str, Any]


class Summary(BaseModel):
    """The content of summary.json. Fields are only ever added; `schema_version` changes if one changes its meaning."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    schema_version: Literal[1] = 1
    state: Literal["running", "pushed", "not_blessed", "failed", "interrupted"]
    """pushed: blessed, and in the folder of pushed models; the others pushed nothing. A run that was killed before it
    could say anything stays running."""
    reason: str
    """In words: why the model was blessed or not, or why the run ended."""
    blessed: bool | None = None
    """null where the run ended before the evaluation did."""
    accuracy: float | None = None
    """Share of the evaluation split's images that are named right."""
    metrics: dict[str, float] = {}
    """All metrics on the evaluation split, accuracy among them."""
    baseline_metrics: dict[str, float] = {}
    """The same of the model that was to beat; empty without one."""
    intervals: dict[str, tuple[float, float]] = {}
    """By metric where it would lie in 95 of 100 other samples, low and high; empty without evaluation.intervals."""
    images: Images | None = None
    """null where the run ended before they were counted."""
    warnings: list[str] = []
    """What is worth knowing of the data: images that come twice, classes that are small or uneven, broken files."""
    pushed_model: str | None = None
    """The SavedModel's folder."""
    tensorboard: str | None = None
    """The folder of TensorBoard's logs."""
    search: Search | None = None
    """Of the section search: how many trials there were, the best one's objective, and by key the values it had, which
    the model was trained with; null without a search. trials.csv in the run's folder has them all."""
    report: str | None = None
    """The HTML page that shows what came of the run; null where the run ended before the evaluation did."""
    evaluated: str | None = None
    """The folder with what the report was made of: content.json, and in predictions.parquet a row an image."""
    run: str
    """The folder with this run's configuration, log, summary and list of left-out images."""
    started: str
    """Date and time in UTC, ISO 8601."""
    seconds: dict[str, float] = {}
    """By component, in the order in which they ran; those from the cache included."""
    costs: dict[str, float] = {}
    """By component, at report.price_per_hour; empty without a price."""
    currency: str | None = None
    """That of costs; null without a price."""
    cached: list[str] = []
    """The components that came from the cache."""
    versions: dict[str, str] = {}
    """Of Python and of the packages that a result depends on."""
    revision: str | None = None
    """The commit of the code that ran, with -dirty where files differed from it; null for installed code."""

    def write(self, *folders: Path) -> None:
        """Writes summary.json into each folder, whole or not at all."""
        for folder in folders:
            part = folder / f"{SUMMARY_FILE}.part"
            part.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
            part.replace(folder / SUMMARY_FILE)
