"""read_log and reason: the log of a pod, and the line in it that says why the task failed."""

import json
import re
from collections.abc import Sequence

from efficientmixnet.kubeflow.server.connection import Connection
from efficientmixnet.modules.exceptions import ServerFailed

_PATH = "/apis/v1alpha1/runs/{run_id}/nodes/{node_id}/log"
_BYTES = 2**20  # of the end of a log
_OURS = re.compile(r"(error|interrupted): .*")  # written by pod_errors.py
_KILLED = re.compile(r"signal: killed|exit status 137|OOMKilled")
_LAUNCHER = re.compile(r"[IWEF]\d{4} [\d:.]+ +\d+ \S+\] *")  # the prefix of the launcher's lines
_MOST_LINES = 10


def log_url(connection: Connection, run_id: str, pod: str) -> str:
    """Returns where the whole log is."""
    return f"{connection.endpoint or ''}{_PATH}".format(run_id=run_id, node_id=pod)


def read_log(connection: Connection, run_id: str, pods: Sequence[str]) -> tuple[str, str] | None:
    """Returns the log of the first pod that has one, and the pod's name. None if no pod has one.

    Args:
        connection: The server.
        run_id: The run.
        pods: The names that the pod may have.
    """
    for pod in pods:
        text = _ask(connection, run_id, pod)
        if text and not _is_refusal(text):
            return text, pod
    return None


def is_gone(connection: Connection, run_id: str, pods: Sequence[str]) -> bool:
    """Returns whether the server knows none of the pods any more. A pod that waits for a node is not gone."""
    return all("not found" in _ask(connection, run_id, pod) for pod in pods)


def reason(log: str) -> str:
    """Returns why the task failed, from the log of its pod."""
    lines = [_LAUNCHER.sub("", line).rstrip() for line in log.splitlines() if line.strip()]
    ours = [number for number, line in enumerate(lines) if _OURS.fullmatch(line)]
    if ours:
        further = lines[ours[-1] + 1 : ours[-1] + _MOST_LINES]
        count = next((number for number, line in enumerate(further) if not line.startswith("  ")), len(further))
        return "\n".join([lines[ours[-1]].removeprefix("error: "), *further[:count]])
    if not lines:
        return "its log is empty"
    if _KILLED.search(lines[-1]):
        return f"it was killed, for example because its memory was full ({lines[-1]})"
    return f"its log ends with: {lines[-1]}"


def _ask(connection: Connection, run_id: str, pod: str) -> str:
    """Returns the end of the pod's log, or the server's refusal, which it also sends with the status 200."""
    try:
        with connection.client() as client:
            answer = client._run_api.api_client.call_api(
                _PATH,
                "GET",
                path_params={"run_id": run_id, "node_id": pod},
                auth_settings=["Bearer"],
                _preload_content=False,
                _return_http_data_only=True,
            )
            return str(answer.data[-_BYTES:].decode(errors="replace"))
    except ServerFailed as error:
        return json.dumps({"error_message": str(error)})


def _is_refusal(text: str) -> bool:
    return text.lstrip().startswith('{"error_message"')
