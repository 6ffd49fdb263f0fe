"""The component's process reads the settings of the job, waits for it, and reports the workers' outputs."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow import entrypoint, executor
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.launch import job_kind
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.task import Task
from efficientmixnet.modules.exceptions import BadInput

FOLDER = "minio://mlpipeline/root/digits/5f0c/Trainer/1"
REPORT = {"artifacts": {"model": {"artifacts": [{"uri": f"{FOLDER}/model", "metadata": {"tfx_version": "1.16.0"}}]}}}


@pytest.fixture
def arguments(settings: JobSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of the component's command, in a pod with the settings of a training job."""
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("efficientmixnet.kubeflow.training_jobs.cluster_job.ClusterJob.pause", 0.01)
    invocation = {
        "inputs": {"parameterValues": {"price": "5$"}},
        "outputs": {
            "artifacts": {"model": {"artifacts": [{"uri": f"{FOLDER}/model"}]}},
            "outputFile": str(tmp_path / "kfp" / "output_metadata.json"),
        },
    }
    return ["--executor_class_path", "x.Executor", "--json_serialized_invocation_args", json.dumps(invocation)]


def test_the_component_returns_the_first_workers_report(
    arguments: list[str], cluster: Any, store: None, recorded: Any, tmp_path: Path
) -> None:
    identity = Task(executor.invocation_of(arguments), None).identity
    cluster.states = [recorded("running"), recorded("succeeded")]
    object_store.write_text(f"{FOLDER}/executor_output.json", json.dumps(REPORT))
    entrypoint.main(arguments)
    assert json.loads((tmp_path / "kfp" / "output_metadata.json").read_text()) == REPORT
    (made,) = cluster.made
    assert made["metadata"]["name"] == f"digits-{identity}"
    (container,) = made["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
    command = container["command"]
    assert json.loads(command[command.index("--component") + 1]) == arguments
    assert not [word for word in command if "$" in word]  # Kubernetes would replace $(HOME)


def test_a_failed_training_fails_the_component(
    arguments: list[str], cluster: Any, recorded: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.states = [recorded("failed")]
    with pytest.raises(SystemExit) as ended:
        entrypoint.main(arguments)
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: TFJob digits-")
    assert not (tmp_path / "kfp").exists()


def _hides_a_signal(*_: Any) -> None:
    """As Beam does."""
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt as error:
        raise RuntimeError("KeyboardInterrupt [while running 'Evaluate']") from error


def _lacks_memory(*_: Any) -> None:
    raise RuntimeError("MemoryError [while running 'Evaluate']") from MemoryError()


@pytest.mark.parametrize(
    ("executes", "code", "line"),
    [
        (_hides_a_signal, 143, "interrupted: the task starts again if it has retries, or in the next run"),
        (_lacks_memory, "error: out of memory; raise the memory of this component's pod", ""),
    ],
)
def test_a_task_that_is_stopped_or_lacks_memory_ends_with_a_line(
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    executes: Any,
    code: int | str,
    line: str,
) -> None:
    monkeypatch.setattr(JobSettings, "from_environment", lambda: None)
    monkeypatch.setattr(entrypoint, "execute_stages", executes)
    with pytest.raises(SystemExit) as ended:
        entrypoint.main(arguments)
    assert str(ended.value.code).startswith(str(code))
    assert capsys.readouterr().err.strip() == line


def test_a_refused_job_is_a_configuration_error(
    arguments: list[str], cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.failing = {"POST": (403, 1)}
    with pytest.raises(SystemExit) as ended:
        entrypoint.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: kubeflow.service_account: ")


def test_an_unknown_job_kind_is_refused() -> None:
    with pytest.raises(
        BadInput, match=r"^kubeflow\.trainer\.job_kind: 'mpijob' is unknown; give one of tfjob, trainjob$"
    ):
        job_kind("mpijob")
