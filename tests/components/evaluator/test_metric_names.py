"""The table of metrics: every metric has a title and a formula, and importing it is cheap."""

import subprocess
import sys

from efficientmixnet.components.evaluator import class_counts
from efficientmixnet.components.evaluator.measures import MEASURES
from efficientmixnet.components.evaluator.metric_names import GATED_METRICS, METRICS


def test_every_gated_metric_has_a_title_a_measure_and_a_formula() -> None:
    assert set(METRICS) - {"auc"} == set(GATED_METRICS) == set(MEASURES) == set(class_counts._FORMULAS)


def test_low_values_are_better_for_errors_only() -> None:
    assert {name for name, metric in METRICS.items() if metric.lower_is_better} == {"loss", "calibration_error"}


def test_importing_the_table_imports_nothing_heavy() -> None:
    script = (
        "import sys; import efficientmixnet.components.evaluator.metric_names; "
        "assert not {'numpy', 'scipy', 'tensorflow', 'tfx', 'pydantic'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603  our own script
