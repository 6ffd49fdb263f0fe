"""A component that works in its own process runs beside the following ones."""

import threading
from pathlib import Path

import pytest
from tfx import v1 as tfx

from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.local.patient_runner import PatientRunner

ran: list[str] = []
evaluated, checked = threading.Event(), threading.Event()
fails: set[str] = set()


def _end(name: str) -> None:
    ran.append(name)
    if name in fails:
        raise ValueError(f"{name} is broken")


@tfx.dsl.components.component
def Check(blessing: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.InfraBlessing]) -> None:
    """Waits until Evaluate has begun, so it must run at the same time."""
    assert evaluated.wait(60)
    _end("ServingCheck")


@tfx.dsl.components.component
def Evaluate(blessing: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.ModelBlessing]) -> None:
    evaluated.set()
    _end("Evaluator")


@tfx.dsl.components.component
def Push(pushed: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.PushedModel]) -> None:
    _end("Pusher")


def _run(folder: Path, *failing: str) -> list[str]:
    ran.clear()
    evaluated.clear()
    fails.clear()
    fails.update(failing)
    check, evaluate, push = Check().with_id("ServingCheck"), Evaluate().with_id("Evaluator"), Push().with_id("Pusher")
    push.add_upstream_nodes([check, evaluate])
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="beside",
        pipeline_root=str(folder),
        components=[check, evaluate, push],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(str(folder / "db")),
    )
    PatientRunner(BeamConfig()).run(pipeline)
    return ran


def test_the_check_of_serving_runs_beside_the_evaluation_and_before_the_push(tmp_path: Path) -> None:
    assert sorted(_run(tmp_path)[:2]) == ["Evaluator", "ServingCheck"]
    assert ran[2:] == ["Pusher"]


@pytest.mark.parametrize("broken", ["ServingCheck", "Evaluator"])
def test_nothing_is_pushed_if_one_of_them_fails(tmp_path: Path, broken: str) -> None:
    with pytest.raises(ValueError, match=f"{broken} is broken"):
        _run(tmp_path, broken)
    assert sorted(ran) == ["Evaluator", "ServingCheck"]
