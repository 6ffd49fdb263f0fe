"""Summary: the content of summary.json. docs/summary.md explains each field."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.text.secrets import mask

SUMMARY_FILE = "summary.json"

Masked = Annotated[str, AfterValidator(mask)]
"""A text in which secrets are masked."""


class Images(BaseModel):
    """The numbers of images."""

    read: int
    left_out: int
    left_out_by_reason: dict[str, int] = {}


class Search(BaseModel):
    """The result of a search."""

    trials: int
    failed: int = 0
    objective: str
    best: float
    values: dict[str, Any]


class Summary(BaseModel):
    """The content of summary.json. Later versions may add fields, without a change of `schema_version`."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    schema_version: Literal[1] = 1
    state: Literal["running", "pushed", "not_blessed", "failed", "interrupted"]
    """Only pushed has a pushed model. The state of a killed run stays running."""
    reason: Masked
    """Why the model was blessed or not, or why the run ended."""
    blessed: bool | None = None
    """null if the run ended before the evaluation."""
    accuracy: float | None = None
    """The accuracy on the evaluation split."""
    metrics: dict[str, float] = {}
    """All metrics on the evaluation split, including accuracy."""
    baseline_metrics: dict[str, float] = {}
    """The same metrics of the baseline model; empty if there is none."""
    intervals: dict[str, tuple[float, float]] = {}
    """For each metric the 95 % confidence interval, [low, high]; empty without evaluation.intervals."""
    test_accuracy: float | None = None
    """The accuracy on the held-out test split; null without one."""
    test_metrics: dict[str, float] = {}
    """All metrics on the test split; empty without one."""
    test_intervals: dict[str, tuple[float, float]] = {}
    """As intervals, on the test split."""
    images: Images | None = None
    """null if the run ended before they were counted."""
    splits: list[Masked] = []
    """How the splits were found, if the data names them."""
    corrections: Masked | None = None
    """How many labels data.corrections changes; null without it."""
    warnings: list[Masked] = []
    """Warnings about the data: duplicates, small or unbalanced classes, corrupt files."""
    pushed_model: str | None = None
    """The folder of the SavedModel."""
    tensorboard: str | None = None
    """The folder of the TensorBoard logs."""
    search: Search | None = None
    """The number of trials, and the objective and hyperparameters of the best one, which the model was trained with;
    null without a search. trials.csv in the run's folder lists all trials."""
    report: str | None = None
    """The HTML report; null if the run ended before the evaluation."""
    evaluated: str | None = None
    """The folder with the report's data: content.json, and predictions.parquet with a row for each image."""
    run: str
    """The folder of the run, with its configuration, log, summary and list of left-out images."""
    started: str
    """The date and time of the start in UTC, ISO 8601."""
    seconds: dict[str, float] = {}
    """The duration of each component, including cached ones, in the order in which they ended."""
    elapsed: float | None = None
    """Seconds from the start of the first component to the end of the last one. ServingCheck runs beside Evaluator, so
    this is less than the sum of `seconds`; null in runs of an earlier version."""
    costs: dict[str, float] = {}
    """The cost of each component at report.price_per_hour; empty without a price."""
    currency: str | None = None
    """The currency of costs; null without a price."""
    cached: list[str] = []
    """The components that reused the result of an earlier run."""
    versions: dict[str, str] = {}
    """The versions of Python and of the packages that affect the result."""
    revision: str | None = None
    """The commit of the code, with -dirty if files were changed; null for installed code."""

    def write(self, *folders: Path) -> None:
        """Writes summary.json to each folder. Each write is atomic."""
        for folder in folders:
            write_text(folder / SUMMARY_FILE, self.model_dump_json(indent=2) + "\n")
