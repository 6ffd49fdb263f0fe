"""ask_store: asks an object store, again while it is away, and puts what it refuses into one line with the cure."""

import asyncio
import errno
import time
from collections.abc import Callable
from typing import TypeVar

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, StoreUnavailable

PATIENCE = 180.0  # seconds for which a store may be away
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 20.0
_ITS_OWN_FAULT = (errno.EBUSY, errno.EREMOTEIO)  # what s3fs makes of 503 and 500

Answer = TypeVar("Answer")


def ask_store(uri: str, question: Callable[[], Answer]) -> Answer:
    """What the question returns, which may be asked several times; `uri` is what it is about.

    Raises:
        StoreUnavailable: there was no answer.
        BadInput: the store refuses it.
    """
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            answer = question()
        except Exception as error:
            if refusal := _refusal(uri, error):
                raise refusal from None
            if not _is_away(error):
                raise
            waited = time.monotonic() - began
            if waited + pause > PATIENCE:
                raise StoreUnavailable(
                    f"{uri}: the object store does not answer ({_in_a_line(error)}), and was asked for {waited:.0f} s; "
                    "see kubeflow.object_store.endpoint (AWS_ENDPOINT_URL)"
                ) from None
            if pause == _FIRST_PAUSE:
                progress.tell(
                    f"{uri}: the object store does not answer ({_in_a_line(error)}); it is asked again for "
                    f"{PATIENCE:.0f} s"
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            if pause > _FIRST_PAUSE:
                progress.tell(f"{uri}: the object store answers again, after {time.monotonic() - began:.0f} s")
            return answer


def _refusal(uri: str, error: Exception) -> BadInput | None:
    """In words, if it is one."""
    from botocore import exceptions

    said, remote = _in_a_line(error), "://" in uri
    if isinstance(error, PermissionError) and not remote:
        return BadInput(f"{uri}: may not be read or written ({said}); give the folder to the image's user, 10001")
    if isinstance(error, (PermissionError, exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return BadInput(
            f"{uri}: the object store refuses these keys ({said}); see kubeflow.object_store.secret (AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY)"
        )
    if isinstance(error, FileNotFoundError):
        return BadInput(f"{uri}: there is no such bucket or folder ({said})")
    if remote and not _is_away(error) and _is_the_stores_word(error):
        return BadInput(f"{uri}: the object store refuses that ({said}); see kubeflow.object_store")
    return None


def _is_away(error: Exception) -> bool:
    """Whether the same question may be answered later."""
    from aiohttp import ClientError
    from botocore import exceptions, parsers
    from gcsfs.retry import is_retriable

    silence = (exceptions.ConnectionError, exceptions.HTTPClientError, parsers.ResponseParserError, ClientError)
    late = (ConnectionError, TimeoutError, asyncio.TimeoutError)
    if isinstance(error, OSError) and error.errno in _ITS_OWN_FAULT:
        return True
    return isinstance(error, (*silence, *late)) or is_retriable(error)


def _is_the_stores_word(error: Exception) -> bool:
    """And not, for example, that of a full disk on this side; gcsfs raises an OSError without a number."""
    from botocore import exceptions

    if isinstance(error, OSError):
        return error.errno is None or isinstance(error.__cause__, exceptions.ClientError)
    return isinstance(error, exceptions.BotoCoreError)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
