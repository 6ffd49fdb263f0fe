"""to_path and to_uri: convert between URIs and the paths of Kubeflow's launcher, such as /minio/bucket/key.

The launcher copies a task's inputs to these paths before the command runs, and its outputs back afterwards. On Vertex
AI, /gcs is a mounted file system with the same paths.
"""

import os
from collections.abc import Mapping

from efficientmixnet.modules.exceptions import BadInput

_FOLDERS: Mapping[str, str] = {"gs": "gcs", "s3": "s3", "minio": "minio"}
SCHEMES = tuple(f"{scheme}://" for scheme in _FOLDERS)
# The folder that replaces the container's root in a rehearsal and in the workers of a training job.
ROOT_VARIABLE = "EFFICIENTMIXNET_LAUNCHER_ROOT"


def to_path(uri: str, root: str | None = None) -> str:
    """Returns the path for a URI of an object store. Anything else is returned unchanged.

    Args:
        uri: A URI or a path.
        root: The folder that replaces the container's root. By default the environment names it.

    Raises:
        BadInput: A part of the URI is `..`.

    Example:
        >>> to_path("minio://bucket/key", "")
        '/minio/bucket/key'
    """
    scheme, separator, key = uri.partition("://")
    if not separator or scheme not in _FOLDERS:
        return uri
    check_uri(uri)
    return f"{_root() if root is None else root}/{_FOLDERS[scheme]}/{key}"


def check_uri(uri: str) -> None:
    """Checks that a URI or a key stays in its folder when it becomes a path.

    Raises:
        BadInput: A part of the URI is `..`.
    """
    if ".." in uri.split("/"):
        raise BadInput(f"{uri}: has the part .., and could lead out of the folder of the store; use a name without it")


def to_uri(path: str) -> str:
    """Returns the URI for a path of the launcher. Anything else is returned unchanged."""
    for scheme, folder in _FOLDERS.items():
        mount = f"{_root()}/{folder}/"
        if path.startswith(mount):
            return f"{scheme}://{path.removeprefix(mount)}"
    return path


def _root() -> str:
    return os.environ.get(ROOT_VARIABLE, "").rstrip("/")
