"""Task: one execution of the component Trainer, and how its inputs and outputs reach the workers and come back.

They pass through the object store. If the workers have no access to it, they pass through the exchange: a folder on a
volume, which the workers use as the container's root.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import to_path
from efficientmixnet.kubeflow.store import object_store


class Task:
    """One execution, for both the component and its workers.

    Args:
        invocation: The task's ExecutorInput.
        exchange: The folder on a volume. None uses the object store.
    """

    def __init__(self, invocation: Mapping[str, Any], exchange: str | None) -> None:
        self._invocation = invocation
        self._folder = self._uri("outputs", "model").rpartition("/")[0]
        self.root = exchange and f"{exchange.rstrip('/')}/{self.identity}"
        self.checkpoints = f"{self._folder}/checkpoints"

    @property
    def identity(self) -> str:
        """A name that is the same for all attempts of this execution, and for no other execution."""
        return hashlib.sha256(self._folder.encode()).hexdigest()[:10]

    def hand_over(self) -> None:
        """Component: copies the inputs to where the workers find them."""
        for uri in self._uris("inputs") if self.root else ():
            object_store.upload(to_path(uri), self._shared(uri))

    def fetch(self) -> None:
        """Worker: copies the inputs into its root."""
        for uri in self._uris("inputs"):
            if self._shared(uri) != to_path(uri):
                object_store.download(self._shared(uri), to_path(uri))

    def deliver(self, report: Mapping[str, Any]) -> None:
        """First worker: copies the outputs to where the component finds them, and last the report.

        Args:
            report: TFX's ExecutorOutput.
        """
        for uri in self._uris("outputs"):
            if self._shared(uri) != to_path(uri) and Path(to_path(uri)).exists():
                object_store.upload(to_path(uri), self._shared(uri))
        object_store.write_text(self._shared(self._report), json.dumps(report))

    def take_back(self) -> dict[str, Any]:
        """Component: copies the outputs from the exchange, if there is one, and returns the report."""
        report = dict(json.loads(object_store.read_text(self._shared(self._report))))
        if self.root:
            for uri in self._uris("outputs"):
                object_store.download(self._shared(uri), to_path(uri))
            shutil.rmtree(self.root)
        return report

    @property
    def _report(self) -> str:
        return f"{self._folder}/executor_output.json"

    def _shared(self, uri: str) -> str:
        """Returns where both the component and the workers find an artifact."""
        return uri if self.root is None else to_path(uri, self.root)

    def _uris(self, side: str) -> Iterator[str]:
        for name, listed in self._invocation[side].get("artifacts", {}).items():
            if listed.get("artifacts"):
                yield self._uri(side, name)

    def _uri(self, side: str, name: str) -> str:
        return str(self._invocation[side]["artifacts"][name]["artifacts"][0]["uri"])
