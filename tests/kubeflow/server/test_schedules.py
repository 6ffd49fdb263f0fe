"""Schedules are listed, paused, resumed and removed, and runs are listed with their verdict."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from efficientmixnet.pipeline.cli import main

RUNS = json.loads((Path(__file__).parent / "nested_runs.json").read_text())
PUSHER = "digits-x7k2p-2830010354"


@pytest.fixture(autouse=True)
def _no_announcements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficientmixnet.kubeflow.commands.server_options.announce", lambda _: None)


def _call(server: Any, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["kubeflow", *arguments, "--endpoint", server.url])


def test_schedules_are_listed_with_their_state_and_expression(server: Any) -> None:
    cron = {"trigger": {"cron_schedule": {"cron": "0 0 6 * * *"}}}
    server.schedules = [
        {"recurring_run_id": "schedule-1", "display_name": "digits", "status": "ENABLED", **cron},
        {"recurring_run_id": "schedule-2", "display_name": "a\x1b[2J", "status": "DISABLED", **cron},
    ]
    assert _call(server, "schedules", "list").output.splitlines() == [
        "schedule-1  enabled   0 0 6 * * *           digits",
        "schedule-2  disabled  0 0 6 * * *           a\\u001b[2J",
    ]


@pytest.mark.parametrize(
    ("command", "done", "method", "path"),
    [
        ("pause", "paused", "POST", "schedule-1:disable"),
        ("resume", "resumed", "POST", "schedule-1:enable"),
        ("remove", "removed", "DELETE", "schedule-1"),
    ],
)
def test_a_schedule_is_changed(server: Any, command: str, done: str, method: str, path: str) -> None:
    result = _call(server, "schedules", command, "schedule-1")
    assert (result.exit_code, result.output) == (0, f"{done} schedule schedule-1\n")
    assert server.requests[-1][:2] == (method, f"/apis/v2beta1/recurringruns/{path}")


def test_a_missing_schedule_is_one_line(server: Any) -> None:
    server.failing = 404
    result = _call(server, "schedules", "pause", "schedule-9")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "not found" in result.output


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ({"blessed": True, "reason": "", "accuracy": 0.9913}, "blessed 0.9913"),
        ({"blessed": False, "reason": "", "accuracy": 0.4}, "not blessed 0.4000"),
        (None, ""),
    ],
)
def test_runs_are_listed_with_verdict_and_accuracy(server: Any, line: Any, shown: str) -> None:
    server.runs = [copy.deepcopy(RUNS["succeeded"])]
    server.logs = {PUSHER: "result: " + json.dumps(line)} if line else {}
    assert _call(server, "runs").output == f"run-1  SUCCEEDED  2026-01-02 03:04  {shown:<20}  digits\n"
