"""What a training job asks of the cluster."""

import logging
from typing import Any

import pytest

from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob


def test_asking_locks_no_loggers(cluster: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a level locks all loggers of the process: for good, if SIGTERM comes in between."""
    cluster.existing = recorded("running")
    cluster.phases = {"digits-trainer-1": "Running"}
    api = KubernetesApi()
    set_levels: list[logging.Logger] = []
    monkeypatch.setattr(logging.Logger, "setLevel", lambda logger, level: set_levels.append(logger))
    assert api.get(TFJob().resource, "digits")
    assert {pod["status"]["phase"] for pod in api.pods("training.kubeflow.org/job-name=digits")} == {"Running"}
    assert api.is_running("digits-trainer-1")
    assert set_levels == []
