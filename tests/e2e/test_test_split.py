"""A run with a test split: it is measured, but not used to choose, and `evaluate` gives the same metrics."""

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SPLITS = ("--set", "data.splits={train: 0.8, eval: 0.1, test: 0.1}")


def test_a_test_split_is_measured_once_and_evaluate_agrees(efficientmixnet, small_config, tmp_path, summary):
    output = tmp_path / "runs"
    done = efficientmixnet("run", small_config, "--output", output, *SPLITS)
    assert done.returncode == 0, done.stderr
    found = summary(output)
    assert found["test_metrics"]["example_count"] == 175
    assert found["test_accuracy"] != found["accuracy"]
    assert f"test accuracy {found['test_accuracy']:.4f} on the test split" in done.stdout
    assert f"{found['accuracy']:.4f} reaches 0.5" in found["reason"]
    assert f"<b>{found['test_accuracy']:.4f}</b>" in Path(found["report"]).read_text(encoding="utf-8")
    card = Path(found["pushed_model"], "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.index("the 175 images of the test split") < card.index("the 180 images of the evaluation split")

    arguments = ("evaluate", output, small_config, *SPLITS, "--split", "test", "--output", tmp_path / "again")
    done = efficientmixnet(*arguments)
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "again" / "evaluation.json").read_text())
    assert again["images"] == 175
    for name in ("accuracy", "macro_f1", "loss", "calibration_error"):
        assert again["metrics"][name]["value"] == pytest.approx(found["test_metrics"][name], abs=1e-6), name

    done = efficientmixnet(*arguments, "--threshold", "accuracy=0.9999")
    assert done.returncode == 3
    assert "does not reach 0.9999 (evaluation.thresholds.accuracy)" in done.stderr
