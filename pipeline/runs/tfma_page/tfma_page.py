"""write_tfma_page: a page with TFMA's slicing metrics, plots and time series of a run."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import damage_named, made_again, read_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.runs.run_report import read_content
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.tfma_page.page import View, render

TFMA_FILE = "tfma.html"


def write_tfma_page(summary: Summary, others: Sequence[Summary]) -> Path:
    """Writes the page to the run's folder.

    Args:
        summary: The run.
        others: The runs of the time series.

    Returns:
        The path of the page.

    Raises:
        BadInput: The run has no evaluation.
    """
    evaluation = _evaluation(summary)
    if evaluation is None:
        raise BadInput(
            f"{summary.run}: the run has no evaluation ({summary.state}: {summary.reason}); give another run"
        )
    # A cached run has the evaluation of an earlier run, which is shown once.
    by_evaluation: dict[str, str] = {}
    for other in others:
        if uri := _evaluation(other):
            by_evaluation.setdefault(uri, Path(other.run).name)
    page = Path(summary.run, TFMA_FILE)
    write_text(page, render(Path(summary.run).name, list(_views(evaluation, by_evaluation))))
    return page


def load_evaluation(uri: str) -> Any:
    """Returns TFMA's EvalResult of the new model.

    Args:
        uri: The folder of the artifact ModelEvaluation.

    Raises:
        BadInput: The evaluation is damaged.
    """
    import tensorflow as tf
    import tensorflow_model_analysis as tfma  # takes seconds

    with damage_named(uri, made_again(uri), tf.errors.OpError):
        specs = read_json(Path(uri, "eval_config.json"), made_again(uri))["evalConfig"]["modelSpecs"]
        # TFX names the model only if there is a baseline model.
        names = [spec.get("name", "") for spec in specs if not spec.get("isBaseline")]
        return tfma.load_eval_result(uri, model_name=names[0] or None)


def _evaluation(summary: Summary) -> str | None:
    content = read_content(summary)
    uri = content.get("evaluation") if content else None
    return uri if uri and Path(uri).is_dir() else None


def _views(evaluation: str, by_evaluation: Mapping[str, str]) -> Iterator[View]:
    import tensorflow_model_analysis as tfma
    from tensorflow_model_analysis.view import util, view_types

    result = load_evaluation(evaluation)
    config = util.get_slicing_config(result.config)
    overall = tfma.slicer.SingleSliceSpec()
    yield View("All images", "tfma-nb-slicing-metrics", config, util.get_slicing_metrics(result.slicing_metrics))
    for spec in result.config.slicing_specs:
        if spec.feature_keys:
            metrics = util.get_slicing_metrics(
                result.slicing_metrics, slicing_spec=tfma.slicer.SingleSliceSpec(spec=spec)
            )
            yield View(f"By {' and '.join(spec.feature_keys)}", "tfma-nb-slicing-metrics", config, metrics)
    data, plots = util.get_plot_data_and_config(result.plots, overall)
    yield View("Plots", "tfma-nb-plot", plots, data)
    if len(by_evaluation) > 1:
        results = view_types.EvalResults(
            [load_evaluation(uri) for uri in by_evaluation], tfma.constants.MODEL_CENTRIC_MODE
        )
        series = util.get_time_series(results, overall, False)
        for one, run in zip(
            series, by_evaluation.values(), strict=True
        ):  # TFMA labels and sorts the runs by this name.
            one["config"]["modelIdentifier"] = run
        yield View("All runs", "tfma-nb-time-series", {"isModelCentric": True}, series)
