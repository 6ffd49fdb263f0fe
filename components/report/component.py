"""The component Report: what Evaluator and the others found becomes a page, whether the model is blessed or not."""

import dataclasses
import json

from tfx import v1 as tfx
from tfx.types import artifact_utils

from efficientmixnet.components.hyperparameters import found_in
from efficientmixnet.components.report import content
from efficientmixnet.components.report.curves import read_curves
from efficientmixnet.components.report.page import CONTENT_FILE, PAGE_FILE, render
from efficientmixnet.components.report.predict import Classifier, write_predictions
from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions
from efficientmixnet.components.verdict import read_verdict
from efficientmixnet.modules import progress
from efficientmixnet.modules.search_config import with_values
from efficientmixnet.modules.training_config import ModelConfig

_SERVING = "Format-Serving"  # Trainer's folder for the exported model


@tfx.dsl.components.component
def Report(
    # Kubeflow knows TFX's own types alone; this one is TFX's for predictions, which the folder holds too.
    report: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.InferenceResult],
    examples: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    statistics: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    model_run: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ModelRun],
    evaluation: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ModelEvaluation],
    config: tfx.dsl.components.Parameter[str],
    baseline_model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model] = None,
    hyperparameters: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.HyperParameters] = None,
) -> None:
    """Writes the page for the evaluation split.

    Args:
        report: The page, its content, and what the model said of each picture.
        examples: As ingested.
        statistics: Of the examples.
        model: The candidate.
        model_run: Its training, as TensorBoard's files.
        evaluation: Evaluator's, with the gate's verdict.
        config: The run's configuration as JSON.
        baseline_model: What the candidate is compared with, if there is one.
        hyperparameters: What a search has found, if there was one; the configuration is shown with it.
    """
    verdict, settings = read_verdict(evaluation.uri), json.loads(config)
    if hyperparameters:
        found_by_search = with_values(
            ModelConfig(network=settings["network"], training=settings["training"]), found_in(hyperparameters.uri)
        )
        settings |= found_by_search.model_dump(mode="json")
    (split,) = (uri for uri in artifact_utils.get_split_uris([examples], "eval"))
    files = sorted(f"{split}/{name}" for name in tfx.dsl.io.fileio.listdir(split))
    candidate = Classifier(f"{model.uri}/{_SERVING}")
    baseline = Classifier(f"{baseline_model.uri}/{_SERVING}", candidate.labels) if baseline_model else None

    progress.start(int(verdict.metrics.get("example_count", 0)), "pictures")
    predictions_file = f"{report.uri}/{PREDICTIONS_FILE}"
    tfx.dsl.io.fileio.makedirs(report.uri)
    write_predictions(candidate, baseline, files, predictions_file)
    predictions = Predictions(predictions_file)
    found = {
        "verdict": dataclasses.asdict(verdict),
        **content.measured(predictions, settings["evaluation"]["slices"]),
        **content.shown(predictions, candidate, files),
        **content.trained_on(
            settings,
            statistics.uri,
            artifact_utils.decode_split_names(examples.split_names),
            json.loads(examples.get_string_custom_property("left_out_by_reason") or "{}"),
            json.loads(examples.get_string_custom_property("warnings") or "[]"),
        ),
        "curves": read_curves(model_run.uri),
        "evaluation": evaluation.uri,
    }
    for name, text in ((CONTENT_FILE, json.dumps(found)), (PAGE_FILE, render(found))):
        with tfx.dsl.io.fileio.open(f"{report.uri}/{name}", "w") as file:
            file.write(text)
    report.set_string_custom_property("verdict", "blessed" if verdict.blessed else "not blessed")
    report.set_string_custom_property("reason", verdict.reason)
    report.set_int_custom_property("model_id", model.id)
