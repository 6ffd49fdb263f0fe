"""ask_store: sends a request to an object store, and repeats it while the store does not answer."""

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

from efficientmixnet.kubeflow.wait_for_answer import wait_for_answer
from efficientmixnet.modules.exceptions import BadInput, ServerUnavailable, StoreUnavailable

PATIENCE = 180.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 20.0
_SERVER_ERRORS = (errno.EBUSY, errno.EREMOTEIO)  # s3fs raises these for the status codes 503 and 500

Answer = TypeVar("Answer")


def ask_store(uri: str, request: Callable[[], Answer]) -> Answer:
    """Returns what `request` returns.

    Args:
        uri: The file or folder that the request is about, for messages.
        request: A call of fsspec. It may run several times.

    Raises:
        StoreUnavailable: The store did not answer within three minutes.
        BadInput: The store refuses the request.
    """

    def send() -> Answer:
        try:
            return request()
        except Exception as error:
            if refusal := _refusal(uri, error):
                raise refusal from None
            if _is_away(error):
                raise ServerUnavailable(f"{uri}: the object store does not answer ({_in_one_line(error)})") from None
            raise

    try:
        return wait_for_answer(send, f"{uri}: the object store", PATIENCE, _FIRST_PAUSE, _LONGEST_PAUSE)
    except ServerUnavailable as error:
        raise StoreUnavailable(
            f"{error}, after {PATIENCE:g} s of trying; check kubeflow.object_store.endpoint (AWS_ENDPOINT_URL)"
        ) from None


def _refusal(uri: str, error: Exception) -> BadInput | None:
    """Returns the error to show if the store, or the volume, refuses the request."""
    from botocore import exceptions

    reason, remote = _in_one_line(error), "://" in uri
    if isinstance(error, PermissionError) and not remote:
        return BadInput(f"{uri}: permission denied ({reason}); make user 10001 of the container image its owner")
    if isinstance(error, (PermissionError, exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return BadInput(
            f"{uri}: the object store refuses the keys ({reason}); check kubeflow.object_store.secret "
            "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
        )
    if isinstance(error, FileNotFoundError):
        return BadInput(f"{uri}: no such bucket or folder ({reason})")
    if remote and not _is_away(error) and _is_from_store(error):
        return BadInput(f"{uri}: the object store refuses the request ({reason}); check kubeflow.object_store")
    return None


def _is_away(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    from aiohttp import ClientError
    from botocore import exceptions, parsers
    from gcsfs.retry import is_retriable

    no_connection = (exceptions.ConnectionError, exceptions.HTTPClientError, parsers.ResponseParserError, ClientError)
    timeout = (ConnectionError, TimeoutError, asyncio.TimeoutError)
    if isinstance(error, OSError) and error.errno in _SERVER_ERRORS:
        return True
    return isinstance(error, (*no_connection, *timeout)) or is_retriable(error)


def _is_from_store(error: Exception) -> bool:
    """Whether the store raised the error, and not this machine, for example because its disk is full."""
    from botocore import exceptions

    if isinstance(error, OSError):
        return error.errno is None or isinstance(error.__cause__, exceptions.ClientError)  # gcsfs sets no number
    return isinstance(error, exceptions.BotoCoreError)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
