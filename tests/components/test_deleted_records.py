"""Components that read records refuse them if a file is missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import standard_artifacts

from efficientmixnet.components.evaluator.component import Evaluator
from efficientmixnet.components.report.component import Report_Executor
from efficientmixnet.components.statistics_gen import StatisticsGen
from efficientmixnet.components.transform import Transform
from efficientmixnet.modules.data.record_counts import RecordCounts, write_counts
from efficientmixnet.modules.exceptions import BadInput


@pytest.fixture
def examples(tmp_path: Path) -> types.Artifact:
    """An artifact whose evaluation split lacks one of two files."""
    for split in ("train", "eval"):
        for number in range(2):
            (tmp_path / f"Split-{split}").mkdir(exist_ok=True)
            (tmp_path / f"Split-{split}" / f"images-{number}.gz").write_bytes(b"records")
    write_counts(
        str(tmp_path), {split: RecordCounts.of_files(f"{tmp_path}/Split-{split}", 9) for split in ("train", "eval")}
    )
    (tmp_path / "Split-eval" / "images-1.gz").unlink()
    artifact = standard_artifacts.Examples()
    artifact.uri, artifact.split_names = str(tmp_path), json.dumps(["train", "eval"])
    return artifact


@pytest.mark.parametrize("component", [StatisticsGen, Transform, Evaluator])
def test_a_component_refuses_records_with_a_missing_file(examples: types.Artifact, component: Any) -> None:
    settings = {"eval_config": '{"model_specs": [{}]}'}
    with pytest.raises(BadInput, match=r"Split-eval: files were deleted .* Found 1 file \(7 bytes\), expected 2"):
        component.EXECUTOR_SPEC.executor_class().Do({"examples": [examples]}, {}, settings)


def test_the_report_refuses_records_with_a_missing_file(examples: types.Artifact) -> None:
    others = dict.fromkeys(("report", "statistics", "model", "model_run", "evaluation"))
    with pytest.raises(BadInput, match=r"Split-eval: files were deleted or changed"):
        Report_Executor._FUNCTION(examples=examples, config="{}", **others)
