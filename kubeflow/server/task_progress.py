"""task_progress: the state of each component of a run, from the server's list of Argo's nodes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from efficientmixnet.kubeflow.server.workflow_nodes import WorkflowNodes

_ATTEMPT = re.compile(r"\((\d+)\)$")  # Argo numbers the attempts of a node
_OWN_STEPS = ("-driver", "executor", "root")  # the server lists its own steps among the tasks
_STATES = {"SUCCEEDED": "done", "SKIPPED": "from cache", "CACHED": "from cache"}
_OMITTED = "RUNTIME_STATE_UNSPECIFIED"  # a task before it has failed
_CACHED_SECONDS = 1.0  # a pod takes longer


@dataclass(frozen=True)
class TaskProgress:
    """How far a component is.

    Args:
        name: The component.
        state: running, done, from cache, failed and so on.
        seconds: How long it took; None while it runs.
        retries: How often its container was started again.
    """

    name: str
    state: str
    seconds: float | None
    retries: int

    def __str__(self) -> str:
        retries = f"{self.retries} retr{'y' if self.retries == 1 else 'ies'}" if self.retries else ""
        seconds = f"{self.seconds:7.1f} s" if self.seconds is not None and self.state != "from cache" else ""
        return f"{self.name:<17} {self.state:<10} {seconds}{', ' if seconds and retries else ''}{retries}".rstrip()


def task_progress(run: Any) -> list[TaskProgress]:
    """Returns the components that have started, each once, in the order of the pipeline.

    Args:
        run: The server's description of the run.
    """
    details = list((run.run_details and run.run_details.task_details) or [])
    nodes = WorkflowNodes(details)
    attempts: dict[str, dict[int, Any]] = {}
    for one in details:
        if one.display_name and one.state and one.state != _OMITTED:
            number = _ATTEMPT.search(one.display_name)
            # A node without a number holds the numbered attempts, so its state is the task's.
            attempts.setdefault(_ATTEMPT.sub("", one.display_name), {})[int(number[1]) if number else 10**6] = one
    order = list(_in_order(_tasks_of(run)))
    found = [name for name in attempts if (name in order if order else not name.endswith(_OWN_STEPS))]
    found.sort(key=lambda name: order.index(name) if order else _created(attempts[name]))
    return [_progress(name, attempts[name], nodes) for name in found]


def _progress(name: str, attempts: Mapping[int, Any], nodes: WorkflowNodes) -> TaskProgress:
    task = attempts[max(attempts)]
    seconds = _seconds(task)
    state = _STATES.get(task.state, task.state.lower())
    if state == "done" and seconds is not None and seconds < _CACHED_SECONDS:
        state = "from cache"
    return TaskProgress(name, state, seconds, nodes.retries(name))


def _seconds(task: Any) -> float | None:
    if not task.start_time or not task.end_time or task.end_time < task.start_time:  # the year 1, if it has not ended
        return None
    return float((task.end_time - task.start_time).total_seconds())


def _created(attempts: Mapping[int, Any]) -> float:
    return min((one.create_time.timestamp() if one.create_time else 0.0) for one in attempts.values())


def _tasks_of(run: Any) -> Mapping[str, Any]:
    """The tasks in the run's package; empty if the server does not send it."""
    spec = run.pipeline_spec or {}
    tasks = spec.get("pipeline_spec", spec).get("root", {}).get("dag", {}).get("tasks", {})
    return tasks if isinstance(tasks, Mapping) else {}


def _in_order(tasks: Mapping[str, Any]) -> Iterator[str]:
    left = dict(tasks)
    while left:
        ready = [name for name, task in left.items() if not set(task.get("dependentTasks", [])) & set(left)]
        for name in ready or list(left):
            del left[name]
            yield name
