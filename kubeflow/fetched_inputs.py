"""fetch: gives a component an artifact of an earlier run, which a task before it has looked up.

The lookup runs in every run, and its result is the URI. The component gets it as a parameter, and is cached while the
URI stays the same. If it runs, the artifact is fetched in its own pod.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import to_path
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput

NONE = "none"  # an empty parameter would look like a missing one


def fetch(invocation: Mapping[str, Any], fetched: str, root: str | None = None) -> dict[str, Any]:
    """Fetches the artifacts, unless they are there.

    Args:
        invocation: The ExecutorInput.
        fetched: The argument --fetched. For each input it has the folder in the artifact to which the files go, and the
            input whose properties it gets.
        root: The folder that replaces the container's root.

    Returns:
        The ExecutorInput with input artifacts instead of the parameters. An input without a URI is left out.

    Raises:
        BadInput: A URI has no files.
    """
    inputs = invocation.get("inputs", {})
    parameters, artifacts = dict(inputs.get("parameterValues", {})), dict(inputs.get("artifacts", {}))
    for name, settings in json.loads(fetched).items():
        place = parameters.pop(name)
        if place == NONE:
            progress.tell(f"{name}: no earlier run has recorded one")
            continue
        uri = f"{invocation['outputs']['outputFile'].rpartition('/')[0]}/fetched/{name}"
        path = to_path(uri, root)
        if not Path(path).exists():
            files_of(place)
            object_store.download(place, f"{path}/{settings['folder']}".rstrip("/"))
            progress.tell(f"{name}: fetched {place}")
        like = artifacts.get(settings["like"], {}).get("artifacts", [{}])[0]
        artifact = {"name": place, "uri": uri, "metadata": like.get("metadata", {})}
        artifacts[name] = {"artifacts": [artifact]}
    return {**invocation, "inputs": {**inputs, "parameterValues": parameters, "artifacts": artifacts}}


def files_of(place: str) -> list[object_store.File]:
    """Returns all files in a folder that an earlier run has recorded.

    Raises:
        BadInput: There are no files.
    """
    found = object_store.files(place)
    if not found:
        raise BadInput(f"{place}: is missing, but an earlier run has recorded it; restore it, or delete its record")
    return found
