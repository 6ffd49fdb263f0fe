"""Launcher: what the launcher of Kubeflow Pipelines does around a task's command.

It copies the inputs from the store into a new folder, which replaces the container's root, runs the command, copies
the outputs back and records them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE, check_uri, to_path
from efficientmixnet.kubeflow.rehearsal.driver import LOGS
from efficientmixnet.kubeflow.rehearsal.metadata_and_cache import MetadataAndCache
from efficientmixnet.kubeflow.retries_in_pod import INDEX_VARIABLE
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.settings import VARIABLE as JOB_VARIABLE
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.private_file import make_private


@dataclass(frozen=True)
class Launcher:
    """Launches the tasks of one run.

    Args:
        folder: The rehearsal's folder. `store` in it replaces the object store unless AWS_ENDPOINT_URL is set.
        root: The run's URI in the store.
        records: Where to record the outputs.
        counts_attempts: Whether the number of the attempt is in each container, as on servers since version 2.17.
    """

    folder: Path
    root: str
    records: MetadataAndCache
    counts_attempts: bool = False

    def launch(
        self, executor_input: dict[str, Any], component: Mapping[str, Any], container: Mapping[str, Any], log: Path
    ) -> dict[str, Any] | None:
        """Runs a task once.

        Args:
            executor_input: The task's inputs, and where to put its outputs.
            component: The task's component.
            container: The container, with command, arguments and environment.
            log: A new folder for the command's log and root.

        Returns:
            The outputs: `artifacts` with their numbers, and `parameters`. None if the command failed.

        Raises:
            BadInput: The launcher of a cluster could not store the outputs.
        """
        root = log / "root"
        root.mkdir(parents=True)
        for listed in executor_input["inputs"]["artifacts"].values():
            for artifact in listed["artifacts"]:
                object_store.download(self.stored(artifact["uri"]), to_path(artifact["uri"], str(root)))
        for listed in executor_input["outputs"]["artifacts"].values():
            Path(to_path(listed["artifacts"][0]["uri"], str(root))).parent.mkdir(parents=True, exist_ok=True)
        invocation = json.dumps(executor_input)
        command = [word.replace("{{$}}", invocation) for word in [*container["command"], *container["args"]]]
        with make_private(log / "log.txt").open("wb") as out:
            process = subprocess.Popen(  # noqa: S603
                command, stdout=out, stderr=out, env=self._environment(container, root), cwd=log
            )
            (log / "pid").write_text(str(process.pid))
            try:
                if process.wait():
                    return None
            except BaseException:
                process.kill()
                process.wait()
                raise
        return self._publish(executor_input, component, str(root))

    def _environment(self, container: Mapping[str, Any], root: Path) -> dict[str, str]:
        environment = {
            **os.environ,
            **{one["name"]: one["value"] for one in container.get("env", [])},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            ROOT_VARIABLE: str(root),
        }
        environment |= {INDEX_VARIABLE: "0"} if self.counts_attempts else {}
        environment.pop(JOB_VARIABLE, None)  # without a cluster, training runs in this process
        if not os.environ.get("AWS_ENDPOINT_URL"):
            environment[object_store.FOLDER_VARIABLE] = str(self.folder / "store")
        return environment

    def _publish(
        self, executor_input: dict[str, Any], component: Mapping[str, Any], root: str
    ) -> dict[str, Any] | None:
        """Copies the outputs to the store, and records them as the command reported them."""
        report = json.loads(Path(to_path(executor_input["outputs"]["outputFile"], root)).read_text())
        artifacts = {}
        for name, listed in executor_input["outputs"]["artifacts"].items():
            if name == LOGS:
                continue
            (artifact,) = listed["artifacts"]
            reported: dict[str, Any] = next(iter(report.get("artifacts", {}).get(name, {}).get("artifacts", [])), {})
            uri = reported.get("uri") or artifact["uri"]
            if not uri.startswith(f"{self.root}/"):
                raise BadInput(f"{name}: the launcher does not upload to {uri}, which is outside of the run's folder")
            if Path(to_path(uri, root)).exists():
                object_store.upload(to_path(uri, root), self.stored(uri))
            artifacts[name] = self.records.record(name, uri, reported.get("metadata", {}), {"Provider": "none"})
        parameters = report.get("parameterValues", {})
        missing = set(component.get("outputDefinitions", {}).get("parameters", {})) - set(parameters)
        if missing:
            raise BadInput(f"the command did not report the output parameters {', '.join(sorted(missing))}")
        return {"artifacts": artifacts, "parameters": parameters}

    def stored(self, uri: str) -> str:
        """Returns where the store keeps it: in the store that AWS_ENDPOINT_URL names, or in a local folder."""
        if os.environ.get("AWS_ENDPOINT_URL") and not uri.startswith("gs://"):
            return uri
        check_uri(uri)
        return str(self.folder / "store" / uri.replace("://", "/"))
