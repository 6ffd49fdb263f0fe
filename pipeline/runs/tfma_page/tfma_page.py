"""write_tfma_page: a page with TFMA's metrics by slice, confusion matrix and metrics over the runs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from efficientmixnet.components.evaluator.slices import BASELINE, Slice, read_slices
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import damage_named, made_again, missing, read_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.literal_path import literal_path
from efficientmixnet.pipeline.runs.run_report import read_content, why_no_report
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.tfma_page.page import render

TFMA_FILE = "tfma.html"


def write_tfma_page(summary: Summary, others: Sequence[Summary]) -> Path:
    """Writes the page to the run's folder.

    Args:
        summary: The run.
        others: The runs of the time series, oldest first.

    Returns:
        The path of the page.

    Raises:
        BadInput: The run has no evaluation, or an evaluation is damaged.
    """
    content = read_content(summary)
    evaluation = _evaluation(content)
    if content is None:
        raise BadInput(why_no_report(summary))
    if evaluation is None:
        raise BadInput(missing(content.get("evaluation") or f"the evaluation of {summary.run}"))
    # A cached run has the evaluation of an earlier run, which is shown once.
    by_evaluation: dict[str, str] = {}
    for other in others:
        if uri := _evaluation(read_content(other)):
            by_evaluation.setdefault(uri, Path(other.run).name)
    labels = [one["label"] for one in content["classes"]]
    slices = list(_slices(evaluation))
    if all(one.values for one in slices):
        raise BadInput(f"{evaluation}: has no metrics of all images; {made_again(evaluation)}")
    text = render(
        Path(summary.run).name,
        slices,
        labels,
        _confusion(evaluation, len(labels)),
        {name: overall for uri, name in by_evaluation.items() for overall in _slices(uri) if not overall.values},
    )
    page = Path(summary.run, TFMA_FILE)
    write_text(page, text)
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

    with damage_named(uri, made_again(uri), tf.errors.OpError), literal_path(uri) as literal:
        specs = read_json(Path(uri, "eval_config.json"), made_again(uri))["evalConfig"]["modelSpecs"]
        # TFX names the model only if there is a baseline model.
        names = [spec.get("name", "") for spec in specs if not spec.get("isBaseline")]
        return tfma.load_eval_result(str(literal), model_name=names[0] or None)


def _evaluation(content: Mapping[str, Any] | None) -> str | None:
    uri = content.get("evaluation") if content else None
    return uri if uri and Path(uri).is_dir() else None


def _slices(uri: str) -> Iterator[Slice]:
    import tensorflow as tf

    with damage_named(uri, made_again(uri), tf.errors.OpError), literal_path(uri) as literal:
        yield from read_slices(str(literal))


def _confusion(uri: str, classes: int) -> np.ndarray:
    """Returns TFMA's confusion matrix of the new model over all images, int [true classes, predicted classes]."""
    import tensorflow as tf
    import tensorflow_model_analysis as tfma

    counts = np.zeros([classes, classes])
    with damage_named(uri, made_again(uri), tf.errors.OpError), literal_path(uri) as literal:
        overall = (one for one in tfma.load_plots(str(literal)) if not one.slice_key.single_slice_keys)
        for plot in (plot for one in overall for plot in one.plot_keys_and_values):
            matrices = plot.value.multi_class_confusion_matrix_at_thresholds.matrices
            if plot.key.model_name != BASELINE:
                for cell in (cell for matrix in matrices[:1] for cell in matrix.entries):
                    counts[cell.actual_class_id, cell.predicted_class_id] += cell.num_weighted_examples
    return counts
