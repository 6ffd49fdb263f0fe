"""write_report: writes the report without importing TFX, which would take more memory than the report itself."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from efficientmixnet.components.evaluator.verdict import read_verdict
from efficientmixnet.components.report import content
from efficientmixnet.components.report.curves import read_curves
from efficientmixnet.components.report.page import CONTENT_FILE, PAGE_FILE, render
from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, TEST_PREDICTIONS_FILE, Predictions
from efficientmixnet.components.report.relabel import RELABEL_FILE, as_csv
from efficientmixnet.components.report.write_predictions import Classifier, write_predictions
from efficientmixnet.modules import progress
from efficientmixnet.modules.exported_model import BUDGET, CALIBRATION, SERVING_FOLDER, channels_of
from efficientmixnet.modules.files.stored_file import made_again, read_json
from efficientmixnet.modules.files.whole_file import write_text


@dataclass(frozen=True)
class Places:
    """The folders of the artifacts that a report is about.

    Args:
        evaluated: The records of the evaluation split, as ingested.
        statistics: The statistics of all splits.
        model: The candidate model.
        model_run: TensorBoard's files of its training.
        evaluation: The Evaluator's metrics and verdict.
        baseline_model: The baseline model, if there is one.
        tested: The records of the test split, if there is one.
    """

    evaluated: str
    statistics: str
    model: str
    model_run: str
    evaluation: str
    baseline_model: str | None = None
    tested: str | None = None


def write_report(
    folder: str,
    places: Places,
    settings: Mapping[str, Any],
    splits: Sequence[str],
    left_out: Mapping[str, int],
    warnings: Sequence[str],
) -> None:
    """Writes the page, its content as JSON, and the predictions to a folder.

    Args:
        folder: The folder to write to.
        places: The artifacts that the report is about.
        settings: The run's configuration.
        splits: The splits in `places.statistics`.
        left_out: By reason, how many images could not be read.
        warnings: The data's warnings.
    """
    verdict = read_verdict(places.evaluation)
    files = _files(places.evaluated)
    model = f"{places.model}/{SERVING_FOLDER}"
    candidate = Classifier(model)
    data = {**settings["data"], "channels": channels_of(model)}  # instead of auto
    settings = {**settings, "data": data}
    baseline = (
        Classifier(f"{places.baseline_model}/{SERVING_FOLDER}", candidate.labels) if places.baseline_model else None
    )

    budget = _budget(model)
    settings = {**settings, **(budget["config"] if budget else {})}
    images = sum(metrics.get("example_count", 0) for metrics in (verdict.metrics, verdict.test_metrics))
    progress.start(int(images), "images")
    tf.io.gfile.makedirs(folder)
    write_predictions(candidate, baseline, files, f"{folder}/{PREDICTIONS_FILE}")
    predictions = Predictions(f"{folder}/{PREDICTIONS_FILE}")
    tested = None
    if places.tested:
        write_predictions(candidate, baseline, _files(places.tested), f"{folder}/{TEST_PREDICTIONS_FILE}")
        tested = content.headline(Predictions(f"{folder}/{TEST_PREDICTIONS_FILE}"))
    found = {
        "verdict": dataclasses.asdict(verdict),
        "test": tested,
        **content.measured(predictions, settings["evaluation"]["slices"], _temperature(model)),
        **content.shown(predictions, candidate, files, data.get("bands")),
        **content.trained_on(settings, places.statistics, splits, left_out, warnings),
        "budget": budget and {"why": budget["why"], "considered": budget["considered"]},
        "curves": read_curves(places.model_run),
        "evaluation": places.evaluation,
    }
    texts = {CONTENT_FILE: json.dumps(found), PAGE_FILE: render(found), RELABEL_FILE: as_csv(found["relabel"])}
    for name, text in texts.items():
        write_text(f"{folder}/{name}", text)


def _files(split: str) -> list[str]:
    return sorted(f"{split}/{name}" for name in tf.io.gfile.listdir(split))


def _temperature(model: str) -> float | None:
    """Returns the temperature of the model's calibration; None: it is not calibrated."""
    path = f"{model}/{CALIBRATION}"
    return float(read_json(path, made_again(model), "temperature")["temperature"]) if tf.io.gfile.exists(path) else None


def _budget(model: str) -> dict[str, Any] | None:
    """Returns the network that a budget chose, and the ones that it considered."""
    path = f"{model}/{BUDGET}"
    return read_json(path, made_again(model), "config", "why", "considered") if tf.io.gfile.exists(path) else None
