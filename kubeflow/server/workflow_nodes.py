"""WorkflowNodes: finds the pods of a task among the nodes of Argo's workflow.

A run's details list nodes with their name and the ids of their children, but not with their own id. Argo makes an id
from the name of the workflow and the FNV-1a hash of the node's path, such as `digits-x7k2p.root.Trainer.executor(0)`.
If the workflow controller has a default retry strategy, every node of the path has a number.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import Any

# Argo's templates for pods. Their names are in the names of pods, but not in the ids of nodes.
_TEMPLATES = ("retry-system-container-impl", "system-container-impl", "system-container-driver")
_NUMBERS = ("", *(f"({number})" for number in range(11)))  # of attempts


class WorkflowNodes:
    """The nodes of a run's workflow.

    Args:
        details: The `task_details` in the server's description of the run.
    """

    def __init__(self, details: Sequence[Any]) -> None:
        self._children = [child.pod_name for one in details for child in one.child_tasks or [] if child.pod_name]

    def retries(self, task: str) -> int:
        """Returns how often the task's container was started again."""
        return max(len(self._attempts(f"{task}.executor")) - 1, 0)

    def pods(self, task: str) -> list[str]:
        """Returns the names by which the server may know the pod of the last attempt, or of its driver if it failed."""
        attempts = self._attempts(f"{task}.executor") or self._attempts(f"{task}-driver")
        if not attempts:
            return []
        workflow, _, number = attempts[-1].rpartition("-")
        composed = [f"{workflow}-{template}-{number}" for template in _TEMPLATES]
        return list(dict.fromkeys([self._by_id[attempts[-1]], *composed]))

    @cached_property
    def _by_id(self) -> dict[str, str]:
        """The names of all children by id: WORKFLOW-TEMPLATE-HASH is the pod of the node WORKFLOW-HASH."""
        found = {}
        for name in self._children:
            workflow, _, number = name.rpartition("-")
            for template in _TEMPLATES:
                workflow = workflow.removesuffix(f"-{template}")
            found[f"{workflow}-{number}"] = name
        return found

    def _attempts(self, below_root: str) -> list[str]:
        """The ids of the nodes at this path, in the order of the attempts."""
        task, _, last = below_root.partition(".")
        workflows = {node.rpartition("-")[0] for node in self._by_id}
        found: list[tuple[str, str]] = []
        for workflow, whole, root, outer, number in product(workflows, ("", "(0)"), ("", "(0)"), _NUMBERS, _NUMBERS):
            name = f"{task}{outer}.{last}{number}" if last else f"{task}{number}"
            node = f"{workflow}-{_hash(f'{workflow}{whole}.root{root}.{name}')}"
            if node in self._by_id and node not in [known for known, _ in found]:
                found.append((node, number))
        return [node for node, number in found if number] or [node for node, _ in found]


def _hash(path: str) -> int:
    """Returns the 32-bit FNV-1a hash of the path."""
    value = 0x811C9DC5
    for byte in path.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    return value
