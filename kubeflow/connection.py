"""Connection: kfp.Client with time-outs, and with one clear line for each way in which a server can fail."""

import contextlib
import json
import socket
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from efficientmixnet.modules.bad_input import BadInput


class ServerFailed(RuntimeError):
    """The server, or the way to it; the message says which, and what to do."""


@dataclass(frozen=True)
class Connection:
    """Where the server is, and who asks.

    Without an endpoint kfp.Client looks for the cluster that it runs in, or that the kubeconfig names.
    """

    endpoint: str | None = None
    namespace: str | None = None
    token: str | None = None
    cookie: str | None = None
    service_account: bool = False  # this pod's own token
    ca_certificate: str | None = None
    timeout: float = 30.0  # seconds for one answer

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """kfp.Client; what goes wrong inside comes out as ServerFailed.

        Raises:
            BadInput: nothing says where the server is.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # kfp and Google's packages announce which versions they like
            import kfp
            import kfp_server_api
            import urllib3

            before = socket.getdefaulttimeout()
            socket.setdefaulttimeout(self.timeout)  # kfp.Client has no other way to end a call
            try:
                with contextlib.redirect_stdout(None):
                    client = kfp.Client(
                        host=self.endpoint,
                        namespace=self.namespace or "kubeflow",
                        existing_token=self.token,
                        cookies=self.cookie,
                        ssl_ca_cert=self.ca_certificate,
                        credentials=kfp.client.ServiceAccountTokenVolumeCredentials() if self.service_account else None,
                    )
                    if self.endpoint is None and client._existing_config.host == kfp_server_api.Configuration().host:
                        raise BadInput(
                            "--endpoint: name the server, such as http://localhost:8080 (KF_PIPELINES_ENDPOINT)"
                        )
                    client._existing_config.retries = 0
                    yield client
            except kfp_server_api.ApiException as error:
                raise ServerFailed(self._answer(error)) from None
            except urllib3.exceptions.HTTPError as error:
                raise ServerFailed(self._silence(error)) from None
            finally:
                socket.setdefaulttimeout(before)

    def _answer(self, error: Any) -> str:
        said = _message(error.body) or error.reason or ""
        match error.status:
            case 401 | 403:
                return (
                    f"{self.endpoint}: the server does not let you in ({error.status} {said}); give --token, --cookie "
                    "or, in a pod, --service-account-token"
                )
            case 404:
                return f"{self.endpoint}: not found ({said or 'is this the address of Kubeflow Pipelines?'})"
            case status:
                return f"{self.endpoint}: the server answered {status}: {said}"

    def _silence(self, error: Exception) -> str:
        if "timed out" in str(error).lower():
            return f"{self.endpoint}: no answer within {self.timeout:g} s; try again, or raise --timeout"
        return f"{self.endpoint}: cannot be reached ({_innermost(error)}); is the server, or the port-forward, running?"


def _message(body: Any) -> str:
    """What the server says, without its stack."""
    try:
        answer = json.loads(body)
    except (TypeError, ValueError):
        return ""
    text = answer.get("error_message") or answer.get("message") or answer.get("error") or ""
    return str(text).partition("\n")[0][:300]


def _innermost(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    return _innermost(reason) if isinstance(reason, BaseException) else str(error).rpartition(": ")[2]
