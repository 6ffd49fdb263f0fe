"""Rehearsal: runs a compiled package on this machine as a cluster would.

driver.py and launcher.py do for each task what the driver and the launcher of Kubeflow Pipelines do in a cluster.
Container images, scheduling and Argo are left out. docs/kubeflow.md says what a rehearsal proves.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import SCHEMES
from efficientmixnet.kubeflow.package.backend_rules import check_package
from efficientmixnet.kubeflow.rehearsal.driver import Outcome, cache_key, executor_input
from efficientmixnet.kubeflow.rehearsal.launcher import Launcher
from efficientmixnet.kubeflow.rehearsal.metadata_and_cache import MetadataAndCache
from efficientmixnet.kubeflow.run_result import RunResult, find_result
from efficientmixnet.modules.exceptions import BadInput, TaskFailed

_LONGEST_PAUSE = 1.0  # seconds; a cluster waits as long as the retry policy says


@dataclass
class Rehearsal:
    """One run of a package.

    Args:
        documents: The package's documents, from read_package.
        folder: Keeps the store, the metadata, the cache and the tasks' logs. A second run in it uses the cache.
        arguments: A value for each parameter of the package.
        report: Called with the task's name, its state and its seconds when a task has ended.
        merges_retries: Whether the server has the default retry strategy of version 2.17. Such a server starts only
            lost pods again, so the task's own process has to repeat what fails.

    Raises:
        BadInput: Kubeflow Pipelines would refuse the package.
    """

    documents: list[dict[str, Any]]
    folder: Path
    arguments: Mapping[str, Any]
    report: Callable[[str, str, float], None]
    merges_retries: bool = False
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self._spec = self.documents[0]
        check_package(self._spec)
        root = self._spec["defaultPipelineRoot"]
        if not root.startswith(SCHEMES):
            raise BadInput(f"defaultPipelineRoot: {root!r} is not in an object store; give {', '.join(SCHEMES)}")
        self._root = f"{root.rstrip('/')}/{self._spec['pipelineInfo']['name']}/{self.run_id}"
        self._platform = _executor_settings(self.documents[1:])
        self.folder.mkdir(parents=True, exist_ok=True)
        self.records = MetadataAndCache(self.folder / "metadata.json")
        self._launcher = Launcher(self.folder, self._root, self.records, self.merges_retries)
        self.outcomes: dict[str, Outcome] = {}

    def run(self) -> dict[str, Outcome]:
        """Runs every task after the tasks on which it depends.

        Returns:
            Each task's outcome by name.

        Raises:
            TaskFailed: A task failed on every attempt.
            BadInput: The launcher could not store a task's outputs.
        """
        tasks = self._spec["root"]["dag"]["tasks"]
        for name in _in_order(tasks):
            began = time.monotonic()
            try:
                self.outcomes[name] = self._run_task(name, tasks[name])
            except (TaskFailed, BadInput):
                self.report(name, "failed", time.monotonic() - began)
                raise
            self.report(name, self.outcomes[name].state, time.monotonic() - began)
        return self.outcomes

    def artifact(self, task: str, name: str) -> dict[str, Any]:
        """Returns a task's output artifact."""
        return self.records.artifact(self.outcomes[task].artifacts[name])

    def declared_artifacts(self) -> Iterator[tuple[str, str, str]]:
        """Yields the task, the name and the type of each artifact that this run or an earlier one has written."""
        for task, outcome in self.outcomes.items():
            component = self._spec["components"][self._spec["root"]["dag"]["tasks"][task]["componentRef"]["name"]]
            for name, declared in component.get("outputDefinitions", {}).get("artifacts", {}).items():
                if name in outcome.artifacts:
                    yield task, name, declared["artifactType"].get("schemaTitle", "")

    def stored(self, uri: str) -> str:
        """Returns where the store keeps an artifact."""
        return self._launcher.stored(uri)

    def result(self) -> RunResult | None:
        """Returns the result that Pusher wrote. None if the run did not evaluate a model."""
        logs = sorted((self.folder / "runs" / self.run_id).glob("Pusher-*/log.txt"))
        return find_result(logs[-1].read_text(errors="replace")) if logs else None

    def _run_task(self, name: str, task: Mapping[str, Any]) -> Outcome:
        component = self._spec["components"][task["componentRef"]["name"]]
        container = self._spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        settings = self._platform.get(component["executorLabel"], {})
        invocation = executor_input(
            task, component, f"{self._root}/{name}/{uuid.uuid4()}", self.arguments, self.outcomes, self.records
        )
        key = cache_key(invocation, container, [one["constant"] for one in settings.get("pvcMount", [])])
        cached = self.records.cached(key) if task.get("cachingOptions", {}).get("enableCache") else None
        if cached:
            return Outcome("from cache", cached["artifacts"], cached["parameters"])
        policy = task.get("retryPolicy", {})
        pause = float(policy.get("backoffDuration", "0s").removesuffix("s"))
        retries = 0 if self.merges_retries else int(policy.get("maxRetryCount", 0))
        for attempt in range(retries + 1):
            if attempt:
                time.sleep(min(pause, _LONGEST_PAUSE))
                pause *= policy.get("backoffFactor", 2.0)
            log = self.folder / "runs" / self.run_id / f"{name}-{attempt}"
            outputs = self._launcher.launch(invocation, component, container, log)
            if outputs:
                self.records.finish(key, outputs)
                return Outcome("done", outputs["artifacts"], outputs["parameters"], attempt + 1)
        raise TaskFailed(
            f"{name} failed; its last lines:\n{_last_lines(log / 'log.txt')}\nThe whole log is in {log / 'log.txt'}"
        )


def _in_order(tasks: Mapping[str, Any]) -> Iterator[str]:
    """Yields each task after the tasks on which it depends."""
    left = dict(tasks)
    while left:
        ready = sorted(name for name, task in left.items() if not set(task.get("dependentTasks", [])) & set(left))
        if not ready:
            raise BadInput(f"the tasks {', '.join(sorted(left))} depend on each other")
        for name in ready:
            del left[name]
        yield from ready


def _executor_settings(platforms: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for document in platforms:
        found |= document.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    return found


def _last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
