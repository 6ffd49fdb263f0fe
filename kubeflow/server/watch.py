"""watch: follows a run on the server, task by task, until it ends."""

import time
from collections.abc import Callable
from typing import Any

from efficientmixnet.kubeflow.server.connection import Connection
from efficientmixnet.kubeflow.wait_for_answer import wait_for_answer
from efficientmixnet.modules.exceptions import ServerFailed

PAUSE = 5.0  # seconds between two requests
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})
_SHOWN = {"SUCCEEDED": "done", "SKIPPED": "from cache", "CACHED": "from cache"}
_DRIVERS = ("-driver", "executor", "root")  # the server lists its own steps among the tasks


def watch(
    connection: Connection,
    run_id: str,
    show: Callable[[str, str, float | None], None],
    patience: float = 300.0,
) -> str:
    """Shows every change of a task's state until the run ends.

    Args:
        connection: The server.
        run_id: The run.
        show: Called with the task's name, its state, and its seconds if it has ended.
        patience: Seconds for which a failed request is repeated.

    Returns:
        The run's last state, such as SUCCEEDED.

    Raises:
        ServerFailed: Requests failed for `patience` seconds.
    """
    seen: dict[str, str] = {}
    while True:
        run = wait_for_answer(
            lambda: _get_run(connection, run_id),
            f"{connection.name}: the server",
            patience,
            PAUSE,
            retry_on=ServerFailed,
        )
        for task in _tasks(run):
            if task.state and seen.get(task.task_id) != task.state:
                seen[task.task_id] = task.state
                show(task.display_name, _SHOWN.get(task.state, task.state.lower()), _seconds(task))
        if run.state in _ENDED:
            return str(run.state)
        time.sleep(PAUSE)


def failures(connection: Connection, run_id: str) -> list[str]:
    """Returns one line for each failed task, or the run's error if no task failed."""
    run = _get_run(connection, run_id)
    lines = [
        f"{task.display_name}: {task.error.message}" for task in _tasks(run) if task.state == "FAILED" and task.error
    ]
    return lines or ([str(run.error.message)] if run.error and run.error.message else [])


def _get_run(connection: Connection, run_id: str) -> Any:
    with connection.client() as client:
        return client.get_run(run_id)


def _tasks(run: Any) -> list[Any]:
    details = run.run_details.task_details if run.run_details else None
    found = [task for task in details or [] if task.display_name and not task.display_name.endswith(_DRIVERS)]
    return sorted(found, key=lambda task: task.create_time.timestamp() if task.create_time else 0.0)


def _seconds(task: Any) -> float | None:
    if not task.start_time or not task.end_time or task.end_time < task.start_time:
        return None
    return float((task.end_time - task.start_time).total_seconds())
