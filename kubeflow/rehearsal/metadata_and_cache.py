"""MetadataAndCache: what a cluster keeps of earlier runs in ML Metadata and in its cache."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import read_json
from efficientmixnet.modules.files.whole_file import write_text


class MetadataAndCache:
    """A JSON file with artifacts by number, and the outputs of finished tasks by cache key.

    Args:
        file: The file. It need not exist.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        known: dict[str, Any] = {"artifacts": {}, "cache": {}}
        if file.exists():
            known = read_json(file, f"restore it, or delete {file.parent}", *known)
        self._artifacts: dict[str, dict[str, Any]] = known["artifacts"]
        self._cache: dict[str, dict[str, Any]] = known["cache"]

    def record(self, name: str, uri: str, metadata: Mapping[str, Any], session: Mapping[str, Any]) -> str:
        """Records an artifact as the launcher does. Numbers become floating-point.

        Args:
            name: The output's name.
            uri: Where the artifact is.
            metadata: Its properties.
            session: How to reach the object store.

        Returns:
            The artifact's number, which is its name as an input of later tasks.

        Raises:
            BadInput: A property is None, which the launcher cannot store.
        """
        for key, value in metadata.items():
            if value is None:
                raise BadInput(f"{name}: the launcher cannot store the property {key}, which is None")
        stored = {
            key: float(value) if isinstance(value, (int, float)) else value
            for key, value in {**metadata, "display_name": name, "store_session_info": json.dumps(session)}.items()
        }
        number = str(len(self._artifacts) + 1)
        self._artifacts[number] = {"name": number, "uri": uri, "metadata": stored}
        self._save()
        return number

    def artifact(self, number: str) -> dict[str, Any]:
        """Returns the artifact as a task's input, without its type."""
        return dict(self._artifacts[number])

    def cached(self, key: str) -> dict[str, Any] | None:
        """Returns the outputs of the finished task with this cache key, or None."""
        return self._cache.get(key)

    def finish(self, key: str, outputs: dict[str, Any]) -> None:
        """Adds a task's outputs to the cache."""
        self._cache[key] = outputs
        self._save()

    def _save(self) -> None:
        content = json.dumps({"artifacts": self._artifacts, "cache": self._cache}, indent=1)
        write_text(self._file, content, private=True)
