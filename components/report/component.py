"""The Report component: writes the report page of a run, whether its model is blessed or not."""

import json

from tfx import v1 as tfx
from tfx.types import artifact_utils

from efficientmixnet.components.evaluator.comparable import comparable
from efficientmixnet.components.evaluator.verdict import read_verdict
from efficientmixnet.components.image_example_gen.split_names import EVAL, TEST
from efficientmixnet.components.report.write_report import Places, write_report
from efficientmixnet.components.tuner.hyperparameters import found_in
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import with_values
from efficientmixnet.modules.data.record_counts import check_counts


@tfx.dsl.components.component
def Report(
    # Kubeflow only takes TFX's own types. This one is for predictions, which the folder also holds.
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
    """Writes the report page for the evaluation split, with the metrics on the test split if there is one.

    Args:
        report: The page, its content as JSON, and the predictions.
        examples: The images as ingested.
        statistics: The statistics of the examples.
        model: The candidate model.
        model_run: TensorBoard's files of its training.
        evaluation: The Evaluator's metrics and verdict.
        config: The run's configuration as JSON.
        baseline_model: The model that the candidate is compared with, if there is one.
        hyperparameters: The best hyperparameters of a search, if there was one. The report shows them in the
            configuration.
    """
    settings = json.loads(config)
    if hyperparameters:
        found_by_search = with_values(
            ModelConfig(network=settings["network"], training=settings["training"]), found_in(hyperparameters.uri)
        )
        settings |= found_by_search.model_dump(mode="json")
    splits = artifact_utils.decode_split_names(examples.split_names)
    measured = [split for split in (EVAL, TEST) if split in splits]
    check_counts(examples.uri, measured)
    baselines = comparable(model, [baseline_model] if baseline_model else [])
    evaluated, *tested = (artifact_utils.get_split_uris([examples], split)[0] for split in measured)
    write_report(
        report.uri,
        Places(
            evaluated=evaluated,
            statistics=statistics.uri,
            model=model.uri,
            model_run=model_run.uri,
            evaluation=evaluation.uri,
            baseline_model=baselines[0].uri if baselines else None,
            tested=tested[0] if tested else None,
        ),
        settings,
        splits=splits,
        left_out=json.loads(examples.get_string_custom_property("left_out_by_reason") or "{}"),
        warnings=json.loads(examples.get_string_custom_property("warnings") or "[]"),
    )
    verdict = read_verdict(evaluation.uri)
    report.set_string_custom_property("verdict", "blessed" if verdict.blessed else "not blessed")
    report.set_string_custom_property("reason", verdict.reason)
