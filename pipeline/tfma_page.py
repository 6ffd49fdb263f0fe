"""A page of TFMA's views of a run: slicing metrics, plots, and metrics over the runs of its output folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from efficientmixnet.components.tfma_page.page import View, render
from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.pipeline.run_report import read_content
from efficientmixnet.pipeline.summary import Summary

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
    beside = list(dict.fromkeys(uri for other in others if (uri := _evaluation(other))))
    page = Path(summary.run, TFMA_FILE)
    page.write_text(render(Path(summary.run).name, list(_views(evaluation, beside))), encoding="utf-8")
    return page


def _evaluation(summary: Summary) -> str | None:
    content = read_content(summary)
    uri = content.get("evaluation") if content else None
    return uri if uri and Path(uri).is_dir() else None


def _views(evaluation: str, beside: Sequence[str]) -> Iterator[View]:
    import tensorflow_model_analysis as tfma  # takes seconds
    from tensorflow_model_analysis.view import util

    result = tfma.load_eval_result(evaluation)
    config = util.get_slicing_config(result.config)
    overall = tfma.slicer.SingleSliceSpec()
    yield View("All pictures", "tfma-nb-slicing-metrics", config, util.get_slicing_metrics(result.slicing_metrics))
    for spec in result.config.slicing_specs:
        if spec.feature_keys:
            metrics = util.get_slicing_metrics(
                result.slicing_metrics, slicing_spec=tfma.slicer.SingleSliceSpec(spec=spec)
            )
            yield View(f"By {' and '.join(spec.feature_keys)}", "tfma-nb-slicing-metrics", config, metrics)
    data, plots = util.get_plot_data_and_config(result.plots, overall)
    yield View("Plots", "tfma-nb-plot", plots, data)
    if len(beside) > 1:
        series = util.get_time_series(tfma.load_eval_results(list(beside)), overall, False)
        yield View("Over the runs", "tfma-nb-time-series", {"isModelCentric": True}, series)
