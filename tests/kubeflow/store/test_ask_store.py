"""A request to a silent store is repeated for minutes. A refusal or a local error is raised at once."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from gcsfs.retry import HttpError

from efficientmixnet.kubeflow.store.ask_store import PATIENCE, ask_store
from efficientmixnet.modules.exceptions import BadInput, StoreUnavailable

NO_CONNECTION = EndpointConnectionError(endpoint_url="http://store:9000")


def _silent_for(seconds: float, clock: Any, error: Exception = NO_CONNECTION) -> Callable[[], str]:
    def request() -> str:
        if clock.now < seconds:
            raise error
        return "answer"

    return request


@pytest.mark.parametrize("seconds", [0.5, 60, 120])
def test_a_request_is_repeated_until_the_store_answers(clock: Any, seconds: float) -> None:
    assert ask_store("s3://b/k", _silent_for(seconds, clock)) == "answer"
    assert clock.now < seconds + 21  # the longest pause


def test_a_store_that_never_answers_is_an_error_after_three_minutes(clock: Any) -> None:
    with pytest.raises(
        StoreUnavailable,
        match=r"^s3://b/k: the object store does not answer \(Could not connect .*\), after 180 s of trying; check",
    ):
        ask_store("s3://b/k", _silent_for(1e9, clock))
    assert 60 < clock.now <= PATIENCE


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EBUSY, "Please reduce your request rate"),
        OSError(errno.EREMOTEIO, "We encountered an internal error"),
        ConnectionResetError("reset by peer"),
        HttpError({"code": 503, "message": "We encountered an internal error"}),
    ],
)
def test_a_request_is_repeated_after_a_server_error(clock: Any, error: Exception) -> None:
    assert ask_store("s3://b/k", _silent_for(10, clock, error)) == "answer"


def _region() -> OSError:
    """The error of s3fs for a signature of the wrong region."""
    error = OSError(errno.EINVAL, "the region 'us-east-1' is wrong; expecting 'minio'")
    error.__cause__ = ClientError({"Error": {"Code": "AuthorizationHeaderMalformed"}}, "ListObjectsV2")
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (_region(), r"refuses the request \(.*expecting 'minio'\); check kubeflow.object_store$"),
        (ParamValidationError(report="Invalid bucket name"), r"refuses the request \(.*Invalid bucket name\); check"),
        (OSError("Forbidden: no storage.objects.list access"), r"refuses the request \(Forbidden: no storage"),  # gcsfs
    ],
)
def test_a_refused_request_is_not_repeated(clock: Any, error: Exception, line: str) -> None:
    with pytest.raises(BadInput, match=line):
        ask_store("s3://b/k", _silent_for(1e9, clock, error))
    assert clock.now == 0


def test_errors_of_the_local_disk_do_not_blame_the_store(clock: Any) -> None:
    with pytest.raises(OSError, match="No space left"):
        ask_store("s3://b/k", _silent_for(1e9, clock, OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(
        BadInput, match=r"^/mnt/pushed: permission denied \(.*\); make user 10001 of the container image its owner$"
    ):
        ask_store("/mnt/pushed", _silent_for(1e9, clock, PermissionError(errno.EACCES, "Permission denied")))
