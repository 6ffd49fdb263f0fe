"""Folders in object stores, and on volumes, by one set of functions: what the launcher does not carry.

The launcher copies a task's artifacts; images and pushed models lie elsewhere. Where the environment says nothing
of a store (AWS_ENDPOINT_URL and its kin, which `kubeflow.object_store` sets), it is the one that the launcher itself
uses: it notes endpoint and Secret at every artifact, and the pod's service account may read that Secret.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from efficientmixnet.kubeflow.store.ask_store import ask_store
from efficientmixnet.modules.exceptions import BadInput

# A folder that stands for every object store, in a rehearsal without one: minio://bucket/key is minio/bucket/key in it.
FOLDER_VARIABLE = "EFFICIENTMIXNET_STORE_FOLDER"
_SESSION = "store_session_info"  # the launcher's key in an artifact's metadata
_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

_session: Mapping[str, str] = {}


@dataclass(frozen=True)
class File:
    """A file in the store."""

    name: str  # relative to the folder
    size: int


def remember_session(invocation: Mapping[str, Any]) -> None:
    """Keeps what the launcher noted at the inputs of this ExecutorInput about their store."""
    global _session
    for listed in invocation.get("inputs", {}).get("artifacts", {}).values():
        for artifact in listed.get("artifacts", []):
            noted = json.loads(artifact.get("metadata", {}).get(_SESSION) or "null")
            if noted and noted.get("Provider") in ("minio", "s3"):
                _session = noted.get("Params") or {}


def files(folder: str) -> list[File]:
    """All files below the folder, by name; of markers for empty folders there are none."""
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
    """Copies the file, or everything below the folder; nothing where there is nothing."""
    system, path = _open(place)
    names = [f"/{file.name}" for file in files(place)]
    if not names and ask_store(place, lambda: system.isfile(path)):
        names = [""]
    for name in names:
        Path(f"{to}{name}").parent.mkdir(parents=True, exist_ok=True)
        ask_store(place, partial(system.get_file, f"{path}{name}", f"{to}{name}"))


def upload(place: str, to: str, last: str = "") -> None:
    """Copies the local file, or everything below the local folder; the file `last` comes when all others are there."""
    system, path = _open(to)
    if Path(place).is_file():
        names = [""]
    else:
        names = [f"/{file.relative_to(place)}" for file in sorted(Path(place).rglob("*")) if file.is_file()]
    for name in sorted(names, key=lambda name: name == f"/{last}"):
        ask_store(to, partial(system.put_file, f"{place}{name}", f"{path}{name}"))


def remove(place: str) -> None:
    """The file, or the folder with everything below it; nothing where there is nothing."""
    system, path = _open(place)

    def take_away() -> None:
        system.invalidate_cache()
        if system.exists(path):
            system.rm(path, recursive=True)

    ask_store(place, take_away)


def read_text(file: str) -> str:
    """The file's content."""
    system, path = _open(file)
    return str(ask_store(file, lambda: system.cat_file(path).decode()))


def write_text(file: str, content: str) -> None:
    """Writes the file, whole or not at all."""
    system, path = _open(file)
    ask_store(file, lambda: system.pipe_file(path, content.encode()))


def _open(uri: str) -> tuple[Any, str]:
    """The file system, and the path in it."""
    import fsspec

    scheme, separator, key = uri.rstrip("/").partition("://")
    stand_in = os.environ.get(FOLDER_VARIABLE)
    if not separator or stand_in:
        path = f"{stand_in}/{scheme}/{key}" if separator else uri.rstrip("/")
        return fsspec.filesystem("file", auto_mkdir=True), path
    if scheme == "gs":
        return fsspec.filesystem("gcs"), key
    if scheme in ("s3", "minio"):
        return fsspec.filesystem("s3", **_s3_options()), key
    raise BadInput(f"{uri}: lies in no store that is known here; give minio://, s3:// or gs://, or a mounted folder")


def _s3_options() -> dict[str, Any]:
    session = {} if "AWS_ACCESS_KEY_ID" in os.environ or "AWS_ENDPOINT_URL" in os.environ else _session
    options: dict[str, Any] = {
        "config_kwargs": {
            "retries": {"total_max_attempts": 1},  # ask_store is patient, and says so
            "connect_timeout": 5,
            # Stores other than Amazon's may refuse the checksums that botocore adds of itself.
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


def _secret(name: str) -> Callable[[str], str]:
    """Looks up the Secret's values by their keys, as the launcher does."""
    import kubernetes
    import urllib3

    refused = "kubeflow.object_store: the Secret {} with the store's keys {}; {}, or name endpoint and secret yourself"
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
            raise BadInput(refused.format(name, f"has no {key}", "add it"))
        return base64.b64decode(secret.data[key]).decode()

    return value
