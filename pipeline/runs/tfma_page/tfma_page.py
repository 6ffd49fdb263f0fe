"""A page of TFMA's views of a run: slicing metrics, plots, and metrics over the runs of its output folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.run_report import read_content
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.tfma_page.page import View, render

TFMA_FILE = "tfma.html"


def write_tfma_page(summary: Summary, others: Sequence[Summary]) -> Path:
    """Writes the page into the run's folder; `others` are the runs that its metrics are shown beside.

    Raises:
        BadInput: the run left no evaluation.
    """
    evaluation = _evaluation(summary)
    if evaluation is None:
        raise BadInput(f"{summary.run}: the run left no evaluation to show ({summary.state}: {summary.reason})")
    # A run that was answered from the cache has another one's evaluation.
    beside: dict[str, str] = {}
    for other in others:
        if uri := _evaluation(other):
            beside.setdefault(uri, Path(other.run).name)
    page = Path(summary.run, TFMA_FILE)
    page.write_text(render(Path(summary.run).name, list(_views(evaluation, beside))), encoding="utf-8")
    return page


def load_evaluation(uri: str) -> Any:
    """TFMA's EvalResult of the candidate; TFX gives it a name only where there is a baseline beside it."""
    import tensorflow_model_analysis as tfma  # takes seconds

    specs = json.loads(Path(uri, "eval_config.json").read_text(encoding="utf-8"))["evalConfig"]["modelSpecs"]
    names = [spec.get("name", "") for spec in specs if not spec.get("isBaseline")]
    return tfma.load_eval_result(uri, model_name=names[0] or None)


def _evaluation(summary: Summary) -> str | None:
    content = read_content(summary)
    uri = content.get("evaluation") if content else None
    return uri if uri and Path(uri).is_dir() else None


def _views(evaluation: str, beside: Mapping[str, str]) -> Iterator[View]:
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
    if len(beside) > 1:
        results = view_types.EvalResults([load_evaluation(uri) for uri in beside], tfma.constants.MODEL_CENTRIC_MODE)
        series = util.get_time_series(results, overall, False)
        for one, run in zip(series, beside.values(), strict=True):  # TFMA orders them by the model's name
            one["config"]["modelIdentifier"] = run
        yield View("Over the runs", "tfma-nb-time-series", {"isModelCentric": True}, series)
