"""secrets_in and refuse_secret: a configuration and an option hold no secret, but say where it is.

The values of the configuration are written to the log, to ML Metadata and to packages for a cluster.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.text.secrets import is_secret_name, mask, mask_urls

_ARGUMENTS = "beam.arguments"
_ENVIRONMENT = "kubeflow.environment"
_VARIABLES = {
    "s3_access_key_id": "AWS_ACCESS_KEY_ID",
    "s3_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "s3_session_token": "AWS_SESSION_TOKEN",
    "azure_connection_string": "AZURE_STORAGE_CONNECTION_STRING",
}
_IN_URL = (
    "holds a password or a signature; give the URL without it, and the credentials of the store in environment "
    "variables (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS) or in its credentials "
    "file, such as ~/.aws/credentials"
)


def secrets_in(values: Mapping[str, Any]) -> Iterator[str]:
    """Yields a line for each value of the configuration that holds a secret: its key, and where the secret belongs."""
    for key, value in _flat(values):
        if key.startswith(_ARGUMENTS):
            if mask(value) != value:
                yield f"{_ARGUMENTS}: {_of_beam(value)}"
        elif key.startswith(_ENVIRONMENT):
            variable = key.removeprefix(f"{_ENVIRONMENT}.")
            if value and (is_secret_name(variable) or mask(value) != value):
                yield f"{key}: {_of_pods(variable)}"
        elif mask_urls(value) != value:
            yield f"{key}: {_IN_URL}"


def refuse_secret(option: str, value: str | None) -> None:
    """Checks an option or argument of a command.

    Raises:
        BadInput: It is a URL with a password or a signature.
    """
    if value and mask_urls(value) != value:
        raise BadInput(f"{option}: {_IN_URL}")


def _of_beam(argument: str) -> str:
    name = argument.removeprefix("--").partition("=")[0]
    if variable := _VARIABLES.get(name):
        where = f"set the environment variable {variable}"
        where += ", or use ~/.aws/credentials" if variable.startswith("AWS") else ""
    else:
        where = "give it in an environment variable or a credentials file that the library reads"
    return f"--{name} holds a secret, which logs and ML Metadata would show; remove it, and {where} on every worker"


def _of_pods(variable: str) -> str:
    return (
        "looks like a secret, and everybody who reads the package or a pod would see it; put it into a "
        f"Secret, and add that to kubeflow.secrets: {{name: SECRET, environment: {{KEY: {variable}}}}}"
    )


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yields all texts with their keys."""
    if isinstance(value, str):
        yield key, value
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list | tuple):
        inner = enumerate(value)
    for name, one in inner:
        yield from _flat(one, f"{key}.{name}" if key else str(name))
