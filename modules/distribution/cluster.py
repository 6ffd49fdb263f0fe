"""Cluster: the workers of a training, as the environment variable TF_CONFIG lists them."""

import json
import os
from dataclasses import dataclass
from typing import Any

from efficientmixnet.modules.exceptions import BadInput


@dataclass(frozen=True)
class Cluster:
    """The addresses (host:port) of all workers, the chief first, and the index of this worker."""

    workers: tuple[str, ...]
    index: int

    @classmethod
    def from_environment(cls) -> "Cluster | None":
        """Returns the cluster in TF_CONFIG; None if there is none.

        Raises:
            BadInput: TF_CONFIG is wrong. The message names the key.
        """
        text = os.environ.get("TF_CONFIG")
        if not text:
            return None
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput(f"TF_CONFIG: is not JSON: {error}") from None
        if not isinstance(values, dict) or not values.get("cluster"):
            return None
        return cls._checked(values["cluster"], values.get("task"))

    @classmethod
    def _checked(cls, jobs: Any, task: Any) -> "Cluster":
        if not isinstance(jobs, dict) or set(jobs) - {"chief", "worker"}:
            raise BadInput("TF_CONFIG: cluster: give only the list worker and, if there is a chief, the list chief")
        for job, addresses in jobs.items():
            if not isinstance(addresses, list) or not all(isinstance(one, str) and ":" in one for one in addresses):
                raise BadInput(f"TF_CONFIG: cluster.{job}: give a list of addresses, such as [host:2222]")
        job, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
        if job not in jobs:
            raise BadInput(f"TF_CONFIG: task.type: {job!r} is not one of {', '.join(jobs)}")
        if not isinstance(index, int) or not 0 <= index < len(jobs[job]):
            raise BadInput(f"TF_CONFIG: task.index: {index!r} is not an index of cluster.{job} of {len(jobs[job])}")
        chiefs = jobs.get("chief", [])
        return cls((*chiefs, *jobs.get("worker", [])), index + (len(chiefs) if job == "worker" else 0))
