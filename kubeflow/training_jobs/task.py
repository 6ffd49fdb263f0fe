"""Task: an execution of the component Trainer as its training job sees it: who it is, and where its artifacts lie.

Component and workers pass them through the object store, where the component's inputs lie in any case; or, where the
workers should not reach that, through a folder on a volume, the exchange, which they take for the container's root.
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
    """The component's side and the workers' see the same.

    Args:
        invocation: The ExecutorInput.
        exchange: The folder on the volume; None: the object store.
    """

    def __init__(self, invocation: Mapping[str, Any], exchange: str | None) -> None:
        self._invocation = invocation
        self._folder = self._uri("outputs", "model").rpartition("/")[0]
        self.root = exchange and f"{exchange.rstrip('/')}/{self.identity}"
        self.checkpoints = f"{self._folder}/checkpoints"

    @property
    def identity(self) -> str:
        """The same for all tries of an execution, and for no other one."""
        return hashlib.sha256(self._folder.encode()).hexdigest()[:10]

    def hand_over(self) -> None:
        """The component's inputs, for the workers."""
        for uri in self._uris("inputs") if self.root else ():
            object_store.upload(to_path(uri), self._shared(uri))

    def fetch(self) -> None:
        """What was handed over, for this worker."""
        for uri in self._uris("inputs"):
            if self._shared(uri) != to_path(uri):
                object_store.download(self._shared(uri), to_path(uri))

    def deliver(self, report: Mapping[str, Any]) -> None:
        """The first worker's outputs, for the component; behind them the report, which says that they are complete."""
        for uri in self._uris("outputs"):
            if self._shared(uri) != to_path(uri) and Path(to_path(uri)).exists():
                object_store.upload(to_path(uri), self._shared(uri))
        object_store.write_text(self._shared(self._report), json.dumps(report))

    def take_back(self) -> dict[str, Any]:
        """The report; outputs that were delivered into the exchange come to the component's own places."""
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
        """Where both sides find it."""
        return uri if self.root is None else to_path(uri, self.root)

    def _uris(self, side: str) -> Iterator[str]:
        for name, listed in self._invocation[side].get("artifacts", {}).items():
            if listed.get("artifacts"):
                yield self._uri(side, name)

    def _uri(self, side: str, name: str) -> str:
        return str(self._invocation[side]["artifacts"][name]["artifacts"][0]["uri"])
