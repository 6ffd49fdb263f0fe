"""watch: follows a run on the server, task by task, until its end."""

import time
from collections.abc import Callable
from typing import Any

from efficientmixnet.kubeflow.server.connection import Connection
from efficientmixnet.modules.exceptions import ServerFailed

PAUSE = 5.0  # seconds between questions
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})
_SHOWN = {"SUCCEEDED": "done", "SKIPPED": "from cache", "CACHED": "from cache"}
_DRIVERS = ("-driver", "executor", "root")  # the server's own steps, which it lists beside the tasks


def watch(
    connection: Connection,
    run_id: str,
    show: Callable[[str, str, float | None], None],
    patience: float = 300.0,
) -> str:
    """Shows each task's name, state and seconds whenever its state changes; returns the run's state at its end.

    Args:
        patience: A server that is away for less than so many seconds is asked again.

    Raises:
        ServerFailed: it was away for longer.
    """
    seen: dict[str, str] = {}
    away_since: float | None = None
    while True:
        try:
            with connection.client() as client:
                run = client.get_run(run_id)
            away_since = None
        except ServerFailed:
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > patience:
                raise
            time.sleep(PAUSE)
            continue
        for task in _tasks(run):
            if task.state and seen.get(task.task_id) != task.state:
                seen[task.task_id] = task.state
                show(task.display_name, _SHOWN.get(task.state, task.state.lower()), _seconds(task))
        if run.state in _ENDED:
            return str(run.state)
        time.sleep(PAUSE)


def failures(connection: Connection, run_id: str) -> list[str]:
    """What the server says about the tasks that failed."""
    with connection.client() as client:
        run = client.get_run(run_id)
    lines = [
        f"{task.display_name}: {task.error.message}" for task in _tasks(run) if task.state == "FAILED" and task.error
    ]
    return lines or ([str(run.error.message)] if run.error and run.error.message else [])


def _tasks(run: Any) -> list[Any]:
    details = run.run_details.task_details if run.run_details else None
    found = [task for task in details or [] if task.display_name and not task.display_name.endswith(_DRIVERS)]
    return sorted(found, key=lambda task: task.create_time.timestamp() if task.create_time else 0.0)


def _seconds(task: Any) -> float | None:
    if not task.start_time or not task.end_time or task.end_time < task.start_time:
        return None
    return float((task.end_time - task.start_time).total_seconds())
