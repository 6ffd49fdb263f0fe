"""A training job through every state that a real cluster has shown."""

import dataclasses
import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from efficientmixnet.kubeflow import progress_lines
from efficientmixnet.kubeflow.training_jobs import kubernetes_api
from efficientmixnet.kubeflow.training_jobs.cluster_job import ClusterJob
from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, TrainingFailed

TASK = "0123456789"
PAUSE = 0.01


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Restores the handler of SIGTERM, which a cancelled job sets to be ignored."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def job(cluster: Any, settings: JobSettings) -> Callable[..., ClusterJob]:
    def make(patience: float = 5.0, **changed: Any) -> ClusterJob:
        api = KubernetesApi(patience, PAUSE)
        return ClusterJob(api, TFJob(), dataclasses.replace(settings, **changed), TASK, ["train"], PAUSE)

    return make


def test_a_job_is_created_and_its_first_worker_is_shown(cluster: Any, job: Any, recorded: Any, capsys: Any) -> None:
    cluster.states = [recorded("running"), recorded("running"), recorded("succeeded")]
    cluster.logs = {f"digits-{TASK}-worker-0": "epoch 1\nepoch 2\n", f"digits-{TASK}-worker-1": "the same\n"}
    job().run()
    (made,) = cluster.made
    assert (made["kind"], made["metadata"]["name"]) == ("TFJob", f"digits-{TASK}")
    assert capsys.readouterr().out.splitlines() == [f"TFJob digits-{TASK}: 2 workers", "epoch 1", "epoch 2"]
    assert cluster.deleted == []


def test_the_first_workers_lines_go_where_progress_goes(cluster: Any, job: Any, recorded: Any, capsys: Any) -> None:
    """In a pod, what is printed goes to a file instead."""
    cluster.states = [recorded("running"), recorded("succeeded")]
    cluster.logs = {f"digits-{TASK}-worker-0": "epoch 1\n"}
    out = io.StringIO()
    progress_lines.show(out)
    try:
        job().run()
    finally:
        progress.listen(None)
    assert out.getvalue().splitlines() == [f"TFJob digits-{TASK}: 2 workers", "epoch 1"]
    assert capsys.readouterr().out == ""


def test_a_failed_training_is_an_error_with_the_workers_last_lines(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.states = [recorded("running"), recorded("failed")]
    cluster.logs = {f"digits-{TASK}-worker-0": "".join(f"line {number}\n" for number in range(100))}
    with pytest.raises(TrainingFailed) as failed:
        job().run()
    first, *lines = str(failed.value).splitlines()
    assert first == f"TFJob digits-{TASK}: worker 0 failed with exit code 3; its last lines:"
    assert [line.strip() for line in lines] == [f"line {number}" for number in range(60, 100)]
    assert cluster.deleted == []  # the cluster keeps it for a day


def test_workers_without_a_node_are_reported_at_once_and_fail_the_job_later(
    cluster: Any, job: Any, recorded: Any, capsys: Any
) -> None:
    cluster.states = [recorded("unschedulable")]
    with pytest.raises(TrainingFailed, match=r"only 0 of 2 workers .* 0.01 minutes .* Insufficient nvidia.com/gpu"):
        job(scheduling_minutes=0.01).run()
    reported = [line for line in capsys.readouterr().out.splitlines() if "cannot start" in line]
    assert reported == [
        f"worker {n} cannot start: 0/1 nodes are available: Insufficient nvidia.com/gpu" for n in (0, 1)
    ]
    assert cluster.deleted == [f"digits-{TASK}"]


def test_a_suspended_job_may_wait_longer(cluster: Any, job: Any, recorded: Any) -> None:
    suspended = recorded("unschedulable")
    suspended["job"]["status"]["conditions"].append({"type": "Suspended", "status": "True", "message": "by a queue"})
    cluster.states = [suspended] * 60 + [recorded("succeeded")]
    job(scheduling_minutes=0.005).run()
    assert cluster.deleted == []


def test_a_preempted_worker_restarts_up_to_the_limit(cluster: Any, job: Any, recorded: Any, capsys: Any) -> None:
    cluster.states = [recorded("running"), recorded("restarting"), recorded("running again"), recorded("succeeded")]
    for state in cluster.states:  # the states come from two recordings
        state["job"]["metadata"]["name"] = f"digits-{TASK}"
    job().run()
    assert "worker 1 restarts from the last checkpoint" in capsys.readouterr().out
    cluster.made.clear()
    cluster.looks = 0
    cluster.logs = {f"digits-{TASK}-worker-0": "no memory left\n"}
    with pytest.raises(
        TrainingFailed, match=r"worker 0 restarted 2 times, more often than kubeflow.trainer.restarts"
    ) as failed:
        job(restarts=1).run()
    assert "no memory left" in str(failed.value)
    assert cluster.deleted == [f"digits-{TASK}"]


def test_requests_are_repeated_after_a_server_error(cluster: Any, job: Any, recorded: Any, capsys: Any) -> None:
    cluster.states = [recorded("running"), recorded("succeeded")]
    cluster.failing = {"POST": (503, 2), "GET": (500, 3)}
    job().run()
    assert capsys.readouterr().out.count("the API server answers again after 0 s") == 2


def test_requests_are_repeated_after_a_timeout(
    cluster: Any, job: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(kubernetes_api, "_TIMEOUT", (0.2, 0.2))
    cluster.states = [recorded("running"), recorded("succeeded")]
    cluster.silent_seconds = 0.5
    threading.Timer(0.6, lambda: setattr(cluster, "silent_seconds", 0.0)).start()
    job().run()
    assert "does not answer (Read timed out" in capsys.readouterr().out
    # The first request created the job, and the repeated request found it as this task's job.
    assert {one["metadata"]["name"] for one in cluster.made} == {f"digits-{TASK}"}


def test_a_server_that_never_answers_is_an_error(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.states = [recorded("running")]
    cluster.failing = {"GET": (503, 10_000)}
    with pytest.raises(TrainingFailed, match=r"the API server does not answer \(503 .*\), after 0.1 s of trying"):
        job(patience=0.1).run()


OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "digits-trainer-1", "uid": "5f0c"}


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_POD_NAME", OWNER["name"])
    monkeypatch.setenv("KFP_POD_UID", OWNER["uid"])


def test_the_components_pod_owns_the_job(cluster: Any, job: Any, recorded: Any, owner: None) -> None:
    cluster.states = [recorded("succeeded")]
    job().run()
    assert cluster.made[0]["metadata"]["ownerReferences"] == [OWNER]


@pytest.mark.parametrize("state", ["running", "succeeded"])
def test_a_job_of_this_pod_is_followed(
    cluster: Any, job: Any, recorded: Any, owner: None, state: str, capsys: Any
) -> None:
    cluster.existing = recorded(state, ownerReferences=[OWNER])
    threading.Timer(0.2, lambda: setattr(cluster, "existing", recorded("succeeded"))).start()
    job().run()
    assert (cluster.made, cluster.deleted) == ([], [])
    assert "found the job of an earlier attempt" in capsys.readouterr().out


def test_a_finished_job_of_a_lost_pod_is_used(cluster: Any, job: Any, recorded: Any, owner: None) -> None:
    cluster.existing = recorded("succeeded", ownerReferences=[{**OWNER, "uid": "another"}])
    job().run()
    assert (cluster.made, cluster.deleted) == ([], [])


@pytest.mark.parametrize(
    ("state", "uid"), [("failed", OWNER["uid"]), ("running", "another")], ids=["failed", "of a lost pod"]
)
def test_any_other_job_of_an_earlier_attempt_is_replaced(
    cluster: Any, job: Any, recorded: Any, owner: None, state: str, uid: str
) -> None:
    cluster.existing = recorded(state, ownerReferences=[{**OWNER, "uid": uid}])
    cluster.states = [recorded("succeeded")]
    job().run()
    assert [one["metadata"]["name"] for one in cluster.made] == [f"digits-{TASK}"]
    assert cluster.deleted == [f"digits-{TASK}"]


def test_the_name_of_another_job_is_skipped(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.existing = recorded("running", annotations={})
    cluster.states = [recorded("succeeded")]
    job().run()
    assert [one["metadata"]["name"] for one in cluster.made] == [f"digits-{TASK}-2"]
    assert cluster.deleted == []


def test_a_long_name_is_shortened_for_the_workers_services(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.states = [recorded("succeeded")]
    job(pipeline="a" * 100, workers=11).run()
    name = cluster.made[0]["metadata"]["name"]
    assert len(f"{name}-worker-10") == 63
    assert name.endswith(f"a-{TASK}")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, r"kubeflow.service_account: .*kubectl apply -k kubeflow/manifests/overlays/training-operator"),
        (404, r"kubeflow.trainer.job_kind: the cluster has no TFJob; install Kubeflow's Training Operator"),
        (400, r"kubeflow.trainer: the cluster refuses the TFJob: refused with 400"),
    ],
)
def test_each_refusal_of_the_cluster_names_the_cure(cluster: Any, job: Any, status: int, message: str) -> None:
    cluster.failing = {"POST": (status, 1)}
    with pytest.raises(BadInput, match=message):
        job().run()


def test_a_cancelled_component_deletes_its_job(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.states = [recorded("running")]
    signal.signal(signal.SIGTERM, _interrupt)
    one = job()
    threading.Thread(target=_cancel, args=(cluster,)).start()
    with pytest.raises(KeyboardInterrupt):
        one.run()
    assert cluster.deleted == [f"digits-{TASK}"]


def test_another_tasks_job_is_not_deleted(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.existing = recorded("running", annotations={})
    one = job()
    one.name = f"digits-{TASK}"
    one._cancel()
    assert cluster.deleted == []


def test_a_deleted_job_is_an_error(cluster: Any, job: Any, recorded: Any) -> None:
    cluster.states = [recorded("running")]
    threading.Timer(0.2, lambda: setattr(cluster, "is_gone", True)).start()
    with pytest.raises(TrainingFailed, match="somebody deleted the job"):
        job().run()


def test_a_job_that_no_operator_sees_is_reported(
    cluster: Any, job: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("efficientmixnet.kubeflow.training_jobs.workers._UNSEEN", 0.05)
    unseen = recorded("running")
    unseen["job"]["status"], unseen["pods"] = {}, []
    cluster.states = [unseen]
    with pytest.raises(TrainingFailed, match="no pods were created"):
        job(scheduling_minutes=0.005).run()
    assert "no operator has seen the job; check that Kubeflow's Training Operator is running" in capsys.readouterr().out


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _cancel(cluster: Any) -> None:
    while not cluster.made:
        time.sleep(PAUSE)
    signal.raise_signal(signal.SIGTERM)
