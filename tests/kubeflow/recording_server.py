"""RecordingServer: answers on this machine as the API server of Kubeflow Pipelines, and records all requests."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from json_server import JsonServer, send

API = "/apis/v2beta1"
TIME = "2026-01-02T03:04:{:02d}Z"


@dataclass
class RecordingServer(JsonServer):
    """Returns the next state in `runs` with each request. `failing` is a status code for every answer."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)  # uploaded before the test
    failing: int | None = None
    failing_times: int | None = None  # how often it fails; None: always
    pause: float = 0.0
    schedules: list[dict[str, Any]] = field(default_factory=list)
    version: str = "unknown"
    logs: dict[str, str] = field(default_factory=dict)  # by the pod's name
    requests: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listen()

    def body(self, path: str) -> Any:
        """Returns the last body that was posted to this path."""
        return [body for method, asked, body, _ in self.requests if (method, asked) == ("POST", API + path)][-1]

    def _answer(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        path = urlsplit(handler.path).path
        is_json = "json" in (handler.headers.get("Content-Type") or "")
        body = json.loads(content) if content and is_json else content
        self.requests.append((handler.command, path, body, dict(handler.headers)))
        time.sleep(self.pause)
        log = re.fullmatch(r"/apis/v1alpha1/runs/run-1/nodes/([^/]+)/log", path)
        status, answer = 200, self._log(log[1]) if log else self._route(handler.command, path.removeprefix(API), body)
        if self.failing and self.failing_times != 0:
            status, answer = self.failing, {"error_message": f"refused with {self.failing}\nat a line of Go"}
            self.failing_times = self.failing_times and self.failing_times - 1
        send(handler, status, answer)

    def _log(self, pod: str) -> Any:
        """The pod's log. The server answers with the status 200 also if there is none."""
        return self.logs.get(pod) or {
            "error_message": f'Failed to read logs: pods "{pod}" not found',
            "error_details": "",
        }

    def _route(self, method: str, path: str, body: Any) -> dict[str, Any]:
        routes: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
            ("GET", "/healthz"): lambda: {"multi_user": False, "tag_name": self.version},
            ("GET", "/experiments"): dict,
            ("POST", "/experiments"): lambda: {**body, "experiment_id": "experiment-1"},
            ("POST", "/runs"): lambda: {**body, "run_id": "run-1"},
            ("GET", "/runs/run-1"): lambda: self.runs.pop(0) if len(self.runs) > 1 else self.runs[0],
            ("GET", "/runs"): lambda: {"runs": self.runs},
            ("GET", "/recurringruns"): lambda: {"recurringRuns": self.schedules},
            ("POST", "/recurringruns/schedule-1:disable"): dict,
            ("POST", "/recurringruns/schedule-1:enable"): dict,
            ("DELETE", "/recurringruns/schedule-1"): dict,
            ("POST", "/runs/run-1:terminate"): dict,
            ("POST", "/recurringruns"): lambda: {**body, "recurring_run_id": "schedule-1"},
            ("GET", "/pipelines"): lambda: {"pipelines": self.pipelines},
            ("POST", "/pipelines/upload_version"): lambda: {"pipeline_version_id": "version-2"},
            ("POST", "/pipelines/upload"): lambda: {"pipeline_id": "pipeline-1", "display_name": "digits"},
            ("GET", "/pipelines/pipeline-1/versions"): lambda: {
                "pipeline_versions": [{"pipeline_version_id": "version-1"}]
            },
        }
        return routes.get((method, path), lambda: {"error_message": f"no route for {method} {path}"})()


def run(state: str, **tasks: str) -> dict[str, Any]:
    """Returns a run with tasks in these states. Each task starts ten seconds after the one before."""
    details = [
        {
            "task_id": name,
            "display_name": name,
            "state": task_state,
            "create_time": TIME.format(number * 10),
            "start_time": TIME.format(number * 10),
            "end_time": TIME.format(number * 10 + 7) if task_state not in ("RUNNING", "PENDING") else None,
            "error": {"message": f"{name} ended with exit code 1"} if task_state == "FAILED" else None,
        }
        for number, (name, task_state) in enumerate(tasks.items())
    ]
    return {
        "run_id": "run-1",
        "display_name": "digits",
        "state": state,
        "created_at": TIME.format(0),
        "run_details": {"task_details": details},
    }
