"""Cluster: the workers of a training and the place of this process among them, as TF_CONFIG says."""

import json
import os
from dataclasses import dataclass
from typing import Any

from efficientmixnet.modules.exceptions import BadInput


@dataclass(frozen=True)
class Cluster:
    """The addresses (host:port) of all workers, the chief's first."""

    workers: tuple[str, ...]
    index: int

    @classmethod
    def from_environment(cls) -> "Cluster | None":
        """None without a TF_CONFIG that names a cluster.

        Raises:
            BadInput: it names one wrongly.
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
            raise BadInput("TF_CONFIG: cluster: give the lists worker and, where there is one, chief, and no others")
        for job, addresses in jobs.items():
            if not isinstance(addresses, list) or not all(isinstance(one, str) and ":" in one for one in addresses):
                raise BadInput(f"TF_CONFIG: cluster.{job}: give a list of addresses, such as [host:2222]")
        job, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
        if job not in jobs:
            raise BadInput(f"TF_CONFIG: task.type: {job!r} is none of {', '.join(jobs)}")
        if not isinstance(index, int) or not 0 <= index < len(jobs[job]):
            raise BadInput(f"TF_CONFIG: task.index: {index!r} is no place in cluster.{job} of {len(jobs[job])}")
        chiefs = jobs.get("chief", [])
        return cls((*chiefs, *jobs.get("worker", [])), index + (len(chiefs) if job == "worker" else 0))
