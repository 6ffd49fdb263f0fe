"""fetch: what a look-up has named becomes an artifact, which the launcher can carry to the tasks that take it.

A look-up names a place that an earlier run has noted; it runs anew in every run, and the task that fetches is cached.
"""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.executor import ABSENT
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exceptions import BadInput

NONE = "none"  # an empty parameter would be hard to tell from one that was never set


def fetch(place: str, artifact: tfx.dsl.Artifact, folder: str = "") -> None:
    """Copies the place into the artifact's folder; for NONE the artifact says so, and is left out where it is taken."""
    if place == NONE:
        artifact.set_int_custom_property(ABSENT, 1)
        print("there is none yet")
        return
    files_of(place)
    object_store.download(place, f"{artifact.uri}/{folder}".rstrip("/"))
    print(f"fetched {place}")


def files_of(place: str) -> list[object_store.File]:
    """All files there.

    Raises:
        BadInput: there are none.
    """
    found = object_store.files(place)
    if not found:
        raise BadInput(f"{place}: is gone, though an earlier run has noted it; put it back, or remove the record of it")
    return found
