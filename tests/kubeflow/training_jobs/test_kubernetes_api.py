"""Requests to the API server do not touch Python's loggers."""

import logging
from typing import Any

import pytest

from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob


def test_requests_do_not_lock_the_loggers(cluster: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a level takes the lock of all loggers, and a SIGTERM at that moment would leave it locked."""
    cluster.existing = recorded("running")
    cluster.phases = {"digits-trainer-1": "Running"}
    api = KubernetesApi()
    set_levels: list[logging.Logger] = []
    monkeypatch.setattr(logging.Logger, "setLevel", lambda logger, level: set_levels.append(logger))
    assert api.get(TFJob().resource, "digits")
    assert {pod["status"]["phase"] for pod in api.pods("training.kubeflow.org/job-name=digits")} == {"Running"}
    assert api.is_running("digits-trainer-1")
    assert set_levels == []
