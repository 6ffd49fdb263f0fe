"""rehearse: runs a compiled package on this machine, with what the cluster's driver and launcher do around each task.

Every container's exact command runs in a process of its own, with a fresh folder for its root: inputs are copied there
from the store, outputs back. Images, scheduling and Argo have no part in it; docs/kubeflow.md says what that proves.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE
from efficientmixnet.kubeflow.package.backend_rules import check_package
from efficientmixnet.kubeflow.rehearsal.metadata_and_cache import MetadataRecords, fingerprint
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.settings import VARIABLE as JOB_VARIABLE
from efficientmixnet.modules.exceptions import BadInput, TaskFailed

_LOGS = "executor-logs"  # an output that the launcher adds to what the component declares
_LONGEST_PAUSE = 1.0  # seconds; a cluster waits as long as the retry policy says


@dataclass(frozen=True)
class Outcome:
    """How a task ended, and what it put out."""

    state: str  # done, from cache
    artifacts: Mapping[str, str]  # number by name
    parameters: Mapping[str, Any]
    tries: int = 1


@dataclass
class Rehearsal:
    """One run of a package.

    Args:
        documents: The package's documents.
        folder: Keeps store, metadata and the tasks' logs; a second run in it finds the first one's cache.
        arguments: The root's parameters.
        report: Called with task, state and seconds when a task has ended.
    """

    documents: list[dict[str, Any]]
    folder: Path
    arguments: Mapping[str, Any]
    report: Callable[[str, str, float], None]
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self._spec = self.documents[0]
        check_package(self._spec)
        self._platform = _executor_settings(self.documents[1:])
        self.folder.mkdir(parents=True, exist_ok=True)
        self.records = MetadataRecords(self.folder / "metadata.json")
        name = self._spec["pipelineInfo"]["name"]
        self._root = f"{self._spec['defaultPipelineRoot'].rstrip('/')}/{name}/{self.run_id}"
        self.outcomes: dict[str, Outcome] = {}

    def run(self) -> dict[str, Outcome]:
        """Runs every task after those on which it depends."""
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
        """What the task put out under this name."""
        return self.records.artifact(self.outcomes[task].artifacts[name])

    def _run_task(self, name: str, task: Mapping[str, Any]) -> Outcome:
        component = self._spec["components"][task["componentRef"]["name"]]
        container = self._spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        settings = self._platform.get(component["executorLabel"], {})
        executor_input = self._driven(name, task, component)
        key = fingerprint(executor_input, container, [one["constant"] for one in settings.get("pvcMount", [])])
        cached = self.records.cached(key) if task.get("cachingOptions", {}).get("enableCache") else None
        if cached:
            return Outcome("from cache", cached["artifacts"], cached["parameters"])
        policy = task.get("retryPolicy", {})
        pause = float(policy.get("backoffDuration", "0s").removesuffix("s"))
        for attempt in range(int(policy.get("maxRetryCount", 0)) + 1):
            if attempt:
                time.sleep(min(pause, _LONGEST_PAUSE))
                pause *= policy.get("backoffFactor", 2.0)
            log = self.folder / "runs" / self.run_id / f"{name}-{attempt}"
            outputs = self._launched(executor_input, component, container, log)
            if outputs:
                self.records.finish(key, outputs)
                return Outcome("done", outputs["artifacts"], outputs["parameters"], attempt + 1)
        raise TaskFailed(
            f"{name} failed; its last lines:\n{_last_lines(log / 'log.txt')}\n{log / 'log.txt'} has them all"
        )

    def _driven(self, name: str, task: Mapping[str, Any], component: Mapping[str, Any]) -> dict[str, Any]:
        """The ExecutorInput as the driver makes it: inputs without types, and an output that nobody declared."""
        inputs = task.get("inputs", {})
        outputs = component.get("outputDefinitions", {})
        place = f"{self._root}/{name}/{uuid.uuid4()}"
        types = {key: one["artifactType"] for key, one in outputs.get("artifacts", {}).items()}
        types[_LOGS] = {"schemaTitle": "system.Artifact"}
        return {
            "inputs": {
                "parameterValues": {key: self._value(one) for key, one in inputs.get("parameters", {}).items()},
                "artifacts": {
                    key: {"artifacts": [self._input_artifact(one["taskOutputArtifact"])]}
                    for key, one in inputs.get("artifacts", {}).items()
                },
            },
            "outputs": {
                "artifacts": {
                    key: {"artifacts": [{"name": key, "uri": f"{place}/{key}", "type": kind}]}
                    for key, kind in types.items()
                },
                "parameters": {
                    key: {"outputFile": f"/tmp/kfp/outputs/{key}"}  # noqa: S108  the launcher's own
                    for key in outputs.get("parameters", {})
                },
                "outputFile": f"{place}/output_metadata.json",
            },
        }

    def _value(self, source: Mapping[str, Any]) -> Any:
        if "runtimeValue" in source:
            return source["runtimeValue"]["constant"]
        if "componentInputParameter" in source:
            return self.arguments[source["componentInputParameter"]]
        output = source["taskOutputParameter"]
        return self.outcomes[output["producerTask"]].parameters[output["outputParameterKey"]]

    def _input_artifact(self, source: Mapping[str, str]) -> dict[str, Any]:
        return self.artifact(source["producerTask"], source["outputArtifactKey"])

    def _launched(
        self, executor_input: dict[str, Any], component: Mapping[str, Any], container: Mapping[str, Any], log: Path
    ) -> dict[str, Any] | None:
        """One try, as the launcher does it; None: the command failed."""
        root = log / "root"
        root.mkdir(parents=True)
        environment = {
            **os.environ,
            **{one["name"]: one["value"] for one in container.get("env", [])},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            ROOT_VARIABLE: str(root),
        }
        environment.pop(JOB_VARIABLE, None)  # there is no cluster to train in: one process here does
        if not os.environ.get("AWS_ENDPOINT_URL"):
            environment[object_store.FOLDER_VARIABLE] = str(self.folder / "store")
        for listed in executor_input["inputs"]["artifacts"].values():
            for artifact in listed["artifacts"]:
                object_store.download(self._stored(artifact["uri"]), _local(artifact["uri"], root))
        for listed in executor_input["outputs"]["artifacts"].values():
            Path(_local(listed["artifacts"][0]["uri"], root)).parent.mkdir(parents=True, exist_ok=True)
        invocation = json.dumps(executor_input)
        command = [word.replace("{{$}}", invocation) for word in [*container["command"], *container["args"]]]
        with (log / "log.txt").open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, cwd=log)  # noqa: S603
            (log / "pid").write_text(str(process.pid))
            try:
                if process.wait():
                    return None
            except BaseException:
                process.kill()
                process.wait()
                raise
        return self._published(executor_input, component, root)

    def _published(
        self, executor_input: dict[str, Any], component: Mapping[str, Any], root: Path
    ) -> dict[str, Any] | None:
        """Copies the outputs to the store and records them as the command reported them."""
        reported = json.loads(Path(_local(executor_input["outputs"]["outputFile"], root)).read_text())
        artifacts = {}
        for name, listed in executor_input["outputs"]["artifacts"].items():
            if name == _LOGS:
                continue
            (artifact,) = listed["artifacts"]
            told: dict[str, Any] = next(iter(reported.get("artifacts", {}).get(name, {}).get("artifacts", [])), {})
            uri = told.get("uri") or artifact["uri"]
            if not uri.startswith(f"{self._root}/"):
                raise BadInput(f"the launcher uploads nothing to {uri}, which lies outside of the run's own folder")
            if Path(_local(uri, root)).exists():
                object_store.upload(_local(uri, root), self._stored(uri))
            artifacts[name] = self.records.record(name, uri, told.get("metadata", {}), {"Provider": "none"})
        parameters = reported.get("parameterValues", {})
        missing = set(component.get("outputDefinitions", {}).get("parameters", {})) - set(parameters)
        if missing:
            raise BadInput(f"the command reported no {', '.join(sorted(missing))}, which the component puts out")
        return {"artifacts": artifacts, "parameters": parameters}

    def _stored(self, uri: str) -> str:
        """Where the store keeps it: in the object store that AWS_ENDPOINT_URL names, or in a folder standing for it."""
        if os.environ.get("AWS_ENDPOINT_URL") and not uri.startswith("gs://"):
            return uri
        return str(self.folder / "store" / uri.replace("://", "/"))


def read_package(file: Path) -> list[dict[str, Any]]:
    """The package's documents.

    Raises:
        BadInput: the file holds no package.
    """
    try:
        documents = [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]
    except OSError as error:
        raise BadInput(
            f"{file}: cannot be read: {error.strerror}; `efficientmixnet kubeflow compile` writes it"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    if not documents or not isinstance(documents[0], dict) or "pipelineInfo" not in documents[0]:
        raise BadInput(f"{file}: holds no package; `efficientmixnet kubeflow compile CONFIG -o {file}` writes one")
    return documents


def _in_order(tasks: Mapping[str, Any]) -> Iterator[str]:
    """Each task after those on which it depends."""
    left = dict(tasks)
    while left:
        ready = sorted(name for name, task in left.items() if not set(task.get("dependentTasks", [])) & set(left))
        if not ready:
            raise BadInput(f"the tasks {', '.join(sorted(left))} wait for each other")
        for name in ready:
            del left[name]
        yield from ready


def _executor_settings(platforms: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for document in platforms:
        found |= document.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    return found


def _local(uri: str, root: Path) -> str:
    scheme, _, key = uri.partition("://")
    return f"{root}/{'gcs' if scheme == 'gs' else scheme}/{key}"


def _last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
