"""Functions that read and write files and folders in object stores and on volumes.

The launcher of Kubeflow Pipelines copies a task's artifacts, but not images and pushed models. The endpoint and keys
come from environment variables such as AWS_ENDPOINT_URL, which `kubeflow.object_store` sets. Without them, they come
from the launcher: it writes its own endpoint and the name of its Secret into each artifact's metadata.

Every function raises StoreUnavailable if the store does not answer, and BadInput if it refuses the request.
"""

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import check_uri
from efficientmixnet.kubeflow.store.ask_store import ask_store
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import whole_path

# A local folder that replaces every object store in a rehearsal: minio://bucket/key is FOLDER/minio/bucket/key.
FOLDER_VARIABLE = "EFFICIENTMIXNET_STORE_FOLDER"
_SESSION = "store_session_info"  # where the launcher writes the endpoint in an artifact's metadata
_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

_session: Mapping[str, str] = {}


@dataclass(frozen=True)
class File:
    """A file in a folder of a store."""

    name: str  # relative to the folder
    size: int  # bytes


def remember_session(invocation: Mapping[str, Any]) -> None:
    """Uses the object store that the launcher wrote into the inputs' metadata.

    Args:
        invocation: The task's ExecutorInput.
    """
    global _session
    for listed in invocation.get("inputs", {}).get("artifacts", {}).values():
        for artifact in listed.get("artifacts", []):
            session = json.loads(artifact.get("metadata", {}).get(_SESSION) or "null")
            if session and session.get("Provider") in ("minio", "s3"):
                _session = session.get("Params") or {}


def files(folder: str) -> list[File]:
    """Returns all files below the folder, sorted by name, without the markers of empty folders.

    Args:
        folder: A URI (minio://, s3:// or gs://) or a local path. It need not exist.
    """
    system, path = _open(folder)

    def find() -> dict[str, Any]:
        system.invalidate_cache()
        return dict(system.find(path, detail=True))

    listed = [
        File(key.removeprefix(path).strip("/"), int(entry["size"] or 0))
        for key, entry in ask_store(folder, find).items()
        if entry["type"] == "file" and not entry.get("Key", entry["name"]).endswith("/") and key != path
    ]
    folders = {str(parent) for file in listed for parent in PurePosixPath(file.name).parents}
    return sorted((file for file in listed if file.size or file.name not in folders), key=lambda file: file.name)


def download(place: str, to: str) -> None:
    """Copies a file, or everything below a folder, to this machine. Does nothing if the place is empty.

    Args:
        place: A URI or a local path.
        to: The local path of the copy.
    """
    system, path = _open(place)
    names = [f"/{file.name}" for file in files(place)]
    if not names and ask_store(place, lambda: system.isfile(path)):
        names = [""]
    for name in names:
        check_uri(name)
        Path(f"{to}{name}").parent.mkdir(parents=True, exist_ok=True)
        with whole_path(f"{to}{name}") as part:
            ask_store(place, partial(system.get_file, f"{path}{name}", str(part)))


def upload(place: str, to: str, without: str = "") -> None:
    """Copies a local file, or everything below a local folder, into the store.

    Args:
        place: A local path.
        to: The URI or path of the copy.
        without: The name of a file in the folder that is not copied.
    """
    system, path = _open(to)
    if Path(place).is_file():
        names = [""]
    else:
        names = [f"/{file.relative_to(place)}" for file in sorted(Path(place).rglob("*")) if file.is_file()]
    for name in names:
        if name == f"/{without}":
            continue
        with _whole(system, f"{path}{name}") as part:
            ask_store(to, partial(system.put_file, f"{place}{name}", part))


def remove(place: str) -> None:
    """Deletes a file, or a folder with everything below it. Does nothing if the place is empty."""
    system, path = _open(place)

    def delete() -> None:
        system.invalidate_cache()
        if system.exists(path):
            system.rm(path, recursive=True)

    ask_store(place, delete)


def read_text(file: str) -> str:
    """Returns the file's text."""
    system, path = _open(file)
    return str(ask_store(file, lambda: system.cat_file(path).decode()))


def write_text(file: str, content: str) -> None:
    """Writes a text file as a whole: readers never see a part of it."""
    system, path = _open(file)
    with _whole(system, path) as part:
        ask_store(file, lambda: system.pipe_file(part, content.encode()))


@contextmanager
def _whole(system: Any, path: str) -> Iterator[str]:
    """Yields the path to write to. A store shows only complete files; on a volume, the file must be renamed."""
    if "file" not in system.protocol:
        yield path
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_path(path) as part:
        yield str(part)


def _open(uri: str) -> tuple[Any, str]:
    """Returns the file system of fsspec, and the path in it."""
    import fsspec

    scheme, separator, key = uri.rstrip("/").partition("://")
    if not separator:
        return fsspec.filesystem("file", auto_mkdir=True), uri.rstrip("/")
    if scheme not in _FILE_SYSTEMS:
        raise BadInput(f"{uri}: unknown scheme; give minio://, s3:// or gs://, or the path of a mounted folder")
    check_uri(uri)
    if folder := os.environ.get(FOLDER_VARIABLE):
        return fsspec.filesystem("file", auto_mkdir=True), f"{folder}/{scheme}/{key}"
    name, options = _FILE_SYSTEMS[scheme]
    return fsspec.filesystem(name, **options()), key


def _s3_options() -> dict[str, Any]:
    session = {} if "AWS_ACCESS_KEY_ID" in os.environ or "AWS_ENDPOINT_URL" in os.environ else _session
    options: dict[str, Any] = {
        "config_kwargs": {
            "retries": {"total_max_attempts": 1},  # ask_store repeats requests, and reports it
            "connect_timeout": 5,
            # Stores other than Amazon's may refuse the checksums that botocore adds by default.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
    }
    if endpoint := session.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL"):
        if "://" not in endpoint:
            endpoint = ("http://" if session.get("disableSSL") == "true" else "https://") + endpoint
        options["endpoint_url"] = endpoint
        options["config_kwargs"]["s3"] = {"addressing_style": "path"}
    if region := session.get("region"):
        options["client_kwargs"] = {"region_name": region}
    if session.get("secretName") and session.get("fromEnv") != "true":
        secret = _secret(session["secretName"])
        options["key"] = secret(session["accessKeyKey"])
        options["secret"] = secret(session["secretKeyKey"])
    return options


# How to open a URI of each scheme: the file system's name in fsspec, and a function that returns its options.
_FILE_SYSTEMS: Mapping[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "minio": ("s3", _s3_options),
    "s3": ("s3", _s3_options),
    "gs": ("gcs", dict),
}


def _secret(name: str) -> Callable[[str], str]:
    """Returns a function that looks up the Secret's values by key."""
    import kubernetes
    import urllib3

    refused = "kubeflow.object_store: the launcher's Secret {} {}; {}, or set kubeflow.object_store"
    try:
        kubernetes.config.load_incluster_config()
        secret = kubernetes.client.CoreV1Api().read_namespaced_secret(name, _NAMESPACE.read_text().strip())
    except (
        kubernetes.config.ConfigException,
        kubernetes.client.ApiException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as error:
        why = getattr(error, "reason", None) or error
        raise BadInput(refused.format(name, f"cannot be read ({why})", "let the service account read it")) from None

    def value(key: str) -> str:
        if key not in (secret.data or {}):
            raise BadInput(refused.format(name, f"has no key {key}", "add the key"))
        return base64.b64decode(secret.data[key]).decode()

    return value
