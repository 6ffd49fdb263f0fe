"""Where the launcher of Kubeflow Pipelines puts what lies in an object store: minio://bucket/key at /minio/bucket/key.

It copies a task's inputs there before the container's command runs, and its outputs back afterwards. On Vertex AI
/gcs is a mounted file system, with the same paths.
"""

import os
from collections.abc import Mapping

_FOLDERS: Mapping[str, str] = {"gs": "gcs", "s3": "s3", "minio": "minio"}
SCHEMES = tuple(f"{scheme}://" for scheme in _FOLDERS)
# The folder that stands for the container's root, in a rehearsal and for the workers of a training job.
ROOT_VARIABLE = "EFFICIENTMIXNET_LAUNCHER_ROOT"


def to_path(uri: str, root: str | None = None) -> str:
    """The file's or folder's path in the container, or below another root; what lies in no store stays as it is."""
    scheme, separator, key = uri.partition("://")
    if not separator or scheme not in _FOLDERS:
        return uri
    return f"{_root() if root is None else root}/{_FOLDERS[scheme]}/{key}"


def to_uri(path: str) -> str:
    """The reverse of to_path."""
    for scheme, folder in _FOLDERS.items():
        mount = f"{_root()}/{folder}/"
        if path.startswith(mount):
            return f"{scheme}://{path.removeprefix(mount)}"
    return path


def _root() -> str:
    return os.environ.get(ROOT_VARIABLE, "").rstrip("/")
