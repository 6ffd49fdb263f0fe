"""serving_uri: the URI from which KServe serves a model that was pushed to an object store or a volume."""

from collections.abc import Mapping


def serving_uri(place: str, volumes: Mapping[str, str]) -> str:
    """Returns the URI.

    Args:
        place: The folder of the pushed version: a URI, or a path on a volume.
        volumes: By the path at which it is mounted, the claim of each volume and the folder of it that is mounted.

    Returns:
        A URI with s3:// or gs://, or with pvc:// for a volume. A path on no volume is returned unchanged.

    Example:
        >>> serving_uri("/mnt/models/pushed/7", {"/mnt": "team", "/mnt/models": "models/digits"})
        'pvc://models/digits/pushed/7'
    """
    if "://" in place:
        return place.replace("minio://", "s3://", 1)
    mounts = [path for path in volumes if place.startswith(f"{path.rstrip('/')}/")]
    if not mounts:
        return place
    mount = max(mounts, key=len)
    return f"pvc://{volumes[mount]}/{place.removeprefix(mount.rstrip('/')).lstrip('/')}"
