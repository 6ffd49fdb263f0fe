"""watch: follows a run on the server, task by task, until it ends. Then result and failures tell how it ended."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from efficientmixnet.kubeflow.run_result import RunResult, find_result
from efficientmixnet.kubeflow.server.connection import Connection
from efficientmixnet.kubeflow.server.node_log import is_gone, log_url, read_log, reason
from efficientmixnet.kubeflow.server.task_progress import TaskProgress, task_progress
from efficientmixnet.kubeflow.server.workflow_nodes import WorkflowNodes
from efficientmixnet.kubeflow.wait_for_answer import wait_for_answer
from efficientmixnet.modules.exceptions import RunFailed, ServerFailed

PAUSE = 5.0  # seconds between two requests
QUIET = 600.0  # seconds without a change, after which watch looks whether the run still has pods
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})
_LAST_TASK = "Pusher"


def watch(connection: Connection, run_id: str, show: Callable[[TaskProgress], None], patience: float = 300.0) -> Any:
    """Shows every change of a component's state until the run ends.

    Args:
        connection: The server.
        run_id: The run.
        show: Called with the component's progress.
        patience: Seconds for which a failed request is repeated.

    Returns:
        The server's description of the run. Its `state` is SUCCEEDED, FAILED, CANCELED or SKIPPED.

    Raises:
        RunFailed: The server says that the run has not ended, but its workflow is gone.
        ServerFailed: Requests failed for `patience` seconds.
    """
    seen: dict[str, TaskProgress] = {}
    changed = time.monotonic()
    while True:
        run = wait_for_answer(
            lambda: _get_run(connection, run_id),
            f"{connection.name}: the server",
            patience,
            PAUSE,
            retry_on=ServerFailed,
        )
        for task in task_progress(run):
            if _key(task) != _key(seen.get(task.name)):
                changed = time.monotonic()
                show(task)
            seen[task.name] = task
        if run.state in _ENDED:
            return run
        if time.monotonic() - changed > QUIET:
            _check_workflow(connection, run_id, run)
            changed = time.monotonic()
        time.sleep(PAUSE)


def result(connection: Connection, run: Any) -> RunResult | None:
    """Returns the result of a run that succeeded. None if the run did not evaluate a model.

    Raises:
        RunFailed: The server has the log with the result no more.
    """
    if _LAST_TASK not in [task.name for task in task_progress(run)]:
        return None
    log = read_log(connection, run.run_id, _nodes(run).pods(_LAST_TASK))
    if log is None:
        raise RunFailed(
            f"run {run.run_id} succeeded, but the server has no log of {_LAST_TASK}, which says whether the model is "
            "blessed; look at the outputs of Evaluator on the run's page"
        )
    return find_result(log[0])


def verdict(connection: Connection, run_id: str) -> str:
    """Returns the verdict and the accuracy of a run that succeeded, such as `blessed 0.9913`. Empty if unknown."""
    run = _get_run(connection, run_id)
    log = read_log(connection, run_id, _nodes(run).pods(_LAST_TASK))
    found = find_result(log[0]) if log else None
    if found is None:
        return ""
    accuracy = "" if found.accuracy is None else f" {found.accuracy:.4f}"
    return f"{'blessed' if found.blessed else 'not blessed'}{accuracy}"


def failures(connection: Connection, run: Any) -> Iterator[str]:
    """Yields for each failed component why it failed, and where its log is. The run's error if none failed."""
    failed = [task for task in task_progress(run) if task.state == "failed"]
    for task in failed:
        log = read_log(connection, run.run_id, _nodes(run).pods(task.name))
        if log:
            yield f"{task.name}: {reason(log[0])}"
            yield f"  the whole log: {log_url(connection, run.run_id, log[1])}"
        else:
            yield f"{task.name}: {_server_says(run, task.name)}"
    if not failed and run.error and run.error.message:
        yield str(run.error.message)


def _server_says(run: Any, name: str) -> str:
    """The server's own error of the component. Current servers leave it empty."""
    for one in run.run_details.task_details:
        if one.display_name and one.display_name.partition("(")[0] == name and one.error and one.error.message:
            return str(one.error.message)
    return "the server gives no reason and has no log of its pod; look at the run's page"


def _check_workflow(connection: Connection, run_id: str, run: Any) -> None:
    nodes = _nodes(run)
    running = [nodes.pods(task.name) for task in task_progress(run) if task.state == "running"]
    if all(is_gone(connection, run_id, pods) for pods in running):
        raise RunFailed(
            f"run {run_id}: its workflow is gone: nothing has changed for {QUIET / 60:.0f} minutes, and none of its "
            f"pods is running, although the server says {str(run.state).lower()}; start a new run, which takes the "
            "finished tasks from the cache"
        )


def _key(task: TaskProgress | None) -> tuple[str, int] | None:
    return (task.state, task.retries) if task else None


def _nodes(run: Any) -> WorkflowNodes:
    return WorkflowNodes((run.run_details and run.run_details.task_details) or [])


def _get_run(connection: Connection, run_id: str) -> Any:
    with connection.client() as client:
        return client.get_run(run_id)
