"""fetch: copies a folder that an earlier run has recorded into an artifact.

One task looks up the folder in every run. The task that fetches it is cached.
"""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.executor import ABSENT
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exceptions import BadInput

NONE = "none"  # an empty parameter would look like a missing one


def fetch(place: str, artifact: tfx.dsl.Artifact, folder: str = "") -> None:
    """Copies a folder into an artifact.

    Args:
        place: The URI to copy. For NONE the artifact gets the property ABSENT, and executor.py removes it from the
            inputs of later tasks.
        artifact: The output artifact.
        folder: A folder in the artifact for the copy.

    Raises:
        BadInput: The place is empty.
    """
    if place == NONE:
        artifact.set_int_custom_property(ABSENT, 1)
        print("no earlier run has recorded one")
        return
    files_of(place)
    object_store.download(place, f"{artifact.uri}/{folder}".rstrip("/"))
    print(f"fetched {place}")


def files_of(place: str) -> list[object_store.File]:
    """Returns all files in a folder that an earlier run has recorded.

    Raises:
        BadInput: There are no files.
    """
    found = object_store.files(place)
    if not found:
        raise BadInput(f"{place}: is missing, but an earlier run has recorded it; restore it, or delete its record")
    return found
