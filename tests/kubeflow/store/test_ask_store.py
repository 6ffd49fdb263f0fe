"""A store that is away is asked again, for minutes; what it refuses, and what is wrong here, is said at once."""

import errno
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from gcsfs.retry import HttpError

from efficientmixnet.kubeflow.store.ask_store import PATIENCE, ask_store
from efficientmixnet.modules.exceptions import BadInput, StoreUnavailable

SILENT = EndpointConnectionError(endpoint_url="http://store:9000")


class Clock:
    """Time that goes on while nobody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("efficientmixnet.kubeflow.store.ask_store.time", clock)
    return clock


def _away_for(seconds: float, clock: Clock, error: Exception = SILENT) -> Callable[[], str]:
    def ask() -> str:
        if clock.now < seconds:
            raise error
        return "answer"

    return ask


@pytest.mark.parametrize("seconds", [0.5, 60, 120])
def test_a_store_may_be_away_for_a_minute_and_more(clock: Clock, seconds: float) -> None:
    assert ask_store("s3://b/k", _away_for(seconds, clock)) == "answer"
    assert clock.now < seconds + 21  # the longest pause


def test_it_is_not_waited_for_for_ever(clock: Clock) -> None:
    with pytest.raises(
        StoreUnavailable, match=r"^s3://b/k: the object store does not answer \(Could not connect .* 1\d\d s; see"
    ):
        ask_store("s3://b/k", _away_for(1e9, clock))
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
def test_a_store_that_is_too_busy_or_broken_is_asked_again(clock: Clock, error: Exception) -> None:
    assert ask_store("s3://b/k", _away_for(10, clock, error)) == "answer"


def _region() -> OSError:
    """As s3fs raises what a store says of another region's signature."""
    error = OSError(errno.EINVAL, "the region 'us-east-1' is wrong; expecting 'minio'")
    error.__cause__ = ClientError({"Error": {"Code": "AuthorizationHeaderMalformed"}}, "ListObjectsV2")
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (_region(), r"refuses that \(.*expecting 'minio'\); see kubeflow.object_store$"),
        (ParamValidationError(report="Invalid bucket name"), r"refuses that \(.*Invalid bucket name\); see"),
        (OSError("Forbidden: no storage.objects.list access"), r"refuses that \(Forbidden: no storage"),  # gcsfs
    ],
)
def test_what_a_store_refuses_is_said_at_once(clock: Clock, error: Exception, line: str) -> None:
    with pytest.raises(BadInput, match=line):
        ask_store("s3://b/k", _away_for(1e9, clock, error))
    assert clock.now == 0


def test_what_is_wrong_on_this_side_is_not_the_stores_fault(clock: Clock) -> None:
    with pytest.raises(OSError, match="No space left"):
        ask_store("s3://b/k", _away_for(1e9, clock, OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(BadInput, match=r"^/mnt/pushed: may not be read or written .*10001$"):
        ask_store("/mnt/pushed", _away_for(1e9, clock, PermissionError(errno.EACCES, "Permission denied")))
