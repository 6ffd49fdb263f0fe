"""MetadataRecords: what a cluster's ML Metadata and cache remember from run to run, as far as a rehearsal needs it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput


class MetadataRecords:
    """A file of artifacts, by their number, and of finished tasks, by their fingerprint."""

    def __init__(self, file: Path) -> None:
        self._file = file
        known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        self._artifacts: dict[str, dict[str, Any]] = known.get("artifacts", {})
        self._cache: dict[str, dict[str, Any]] = known.get("cache", {})

    def record(self, name: str, uri: str, metadata: Mapping[str, Any], session: Mapping[str, Any]) -> str:
        """Keeps an artifact as the launcher does; returns its number, the name under which later tasks get it."""
        for key, value in metadata.items():
            if value is None:
                raise BadInput(f"the launcher cannot store metadata without a value: {key} of {name}")
        stored = {
            key: float(value) if isinstance(value, (int, float)) else value
            for key, value in {**metadata, "display_name": name, "store_session_info": json.dumps(session)}.items()
        }
        number = str(len(self._artifacts) + 1)
        self._artifacts[number] = {"name": number, "uri": uri, "metadata": stored}
        self._save()
        return number

    def artifact(self, number: str) -> dict[str, Any]:
        """The artifact as a task's input, without its type."""
        return dict(self._artifacts[number])

    def cached(self, fingerprint: str) -> dict[str, Any] | None:
        """What the finished task of this fingerprint put out."""
        return self._cache.get(fingerprint)

    def finish(self, fingerprint: str, outputs: dict[str, Any]) -> None:
        """Keeps a task's outputs for later runs."""
        self._cache[fingerprint] = outputs
        self._save()

    def _save(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"artifacts": self._artifacts, "cache": self._cache}, indent=1))
        part.replace(self._file)


def fingerprint(executor_input: Mapping[str, Any], container: Mapping[str, Any], claims: list[str]) -> str:
    """The key under which the driver looks a task up: all that it was given, but not where it writes."""
    inputs, outputs = executor_input["inputs"], executor_input["outputs"]
    key = {
        "inputArtifactNames": {
            name: [artifact["name"] for artifact in listed["artifacts"]] for name, listed in inputs["artifacts"].items()
        },
        "inputParameterValues": inputs["parameterValues"],
        "outputArtifactsSpec": {
            name: {key: value for key, value in listed["artifacts"][0].items() if key != "uri"}
            for name, listed in outputs["artifacts"].items()
        },
        "outputParametersSpec": sorted(outputs["parameters"]),
        "containerSpec": [container["image"], container["command"], container["args"], sorted(set(claims))],
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
