"""RecordedCluster: a Kubernetes API server on this machine that returns recorded states of a job.

`recorded_tfjobs.json` was recorded on Kubernetes 1.34 with the Training Operator 1.8.1.
"""

import copy
import json
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from json_server import JsonServer, send

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded_tfjobs.json").read_text())
JOBS = "/apis/kubeflow.org/v1/namespaces/team/tfjobs"
PODS = "/api/v1/namespaces/team/pods"


def recorded(name: str, **changed: Any) -> dict[str, Any]:
    """Returns a recorded job and its pods, with changes to the job's metadata."""
    state = copy.deepcopy(RECORDED[name])
    state["job"]["metadata"] |= changed
    return state


@dataclass
class RecordedCluster(JsonServer):
    """Moves to the next state with each request for the job, and stays in the last one."""

    states: list[dict[str, Any]] = field(default_factory=list)
    existing: dict[str, Any] | None = None  # a job that exists before the test
    failing: dict[str, tuple[int, int]] = field(
        default_factory=dict
    )  # by HTTP method: the status to answer, and how often
    silent_seconds: float = 0.0  # the delay of every answer
    logs: dict[str, str] = field(default_factory=dict)
    phases: dict[str, str] = field(default_factory=dict)  # phases of other pods, by name
    made: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    looks: int = 0
    is_gone: bool = False  # whether the created job has been deleted

    def __post_init__(self) -> None:
        self.listen()

    def kubeconfig(self, folder: Path) -> str:
        """Writes a kubeconfig for this server and the namespace team."""
        file = folder / "kubeconfig"
        cluster = {"server": self.url}
        context = {"cluster": "recorded", "user": "component", "namespace": "team"}
        file.write_text(
            json.dumps(
                {
                    "clusters": [{"name": "recorded", "cluster": cluster}],
                    "users": [{"name": "component", "user": {"token": "t"}}],
                    "contexts": [{"name": "recorded", "context": context}],
                    "current-context": "recorded",
                }
            )
        )
        return str(file)

    def _answer(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        path = urlsplit(handler.path).path
        time.sleep(self.silent_seconds)
        status, times = self.failing.get(handler.command, (0, 0))
        if times:
            self.failing[handler.command] = (status, times - 1)
            answer: Any = {"kind": "Status", "message": f"refused with {status}"}
        else:
            status, answer = self._route(handler.command, path, json.loads(content) if content else None)
        send(handler, status, answer)

    def _route(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        nothing = (404, {"kind": "Status", "message": f"{path} not found"})
        if method == "POST" and path == JOBS:
            taken = {one["metadata"]["name"] for one in (self.existing and [self.existing["job"]]) or []}
            if body["metadata"]["name"] in taken:
                return 409, {"kind": "Status", "message": f"{body['metadata']['name']} already exists"}
            self.made.append(body)
            self.is_gone = False
            return 201, body
        if method == "DELETE":
            self.deleted.append(path.rpartition("/")[2])
            self.existing, self.is_gone = None, bool(self.made)
            return 200, {"kind": "Status"}
        if path.startswith(f"{JOBS}/"):
            if not self.made:
                return (200, self.existing["job"]) if self.existing else nothing
            self.looks += 1
            state = self._state
            return (200, state["job"]) if state else nothing
        if path == PODS:
            shown = self._state if self.made else self.existing
            return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": shown["pods"] if shown else []}
        if path.startswith(PODS) and path.endswith("/log"):
            return 200, self.logs.get(path.removeprefix(f"{PODS}/").removesuffix("/log"), "")
        if phase := self.phases.get(path.removeprefix(f"{PODS}/")):
            return 200, {"kind": "Pod", "apiVersion": "v1", "status": {"phase": phase}}
        return nothing

    @property
    def _state(self) -> dict[str, Any] | None:
        return self.states[min(self.looks, len(self.states)) - 1] if self.looks and not self.is_gone else None
