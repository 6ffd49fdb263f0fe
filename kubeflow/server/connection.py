"""Connection: kfp.Client with timeouts, and with a one-line error for each way in which a server can fail."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput, ServerFailed
from efficientmixnet.modules.stack import HEALTHZ_METHOD


@dataclass(frozen=True)
class Connection:
    """The address of a Kubeflow Pipelines server, and the user's credentials.

    Args:
        endpoint: The server's URL. By default kfp.Client uses the cluster of this pod or of the kubeconfig.
        namespace: The user's namespace on a multi-user server.
        token: A bearer token.
        cookie: The cookie of a browser session.
        service_account: Whether to send the token of this pod's service account.
        ca_certificate: A file with the certificate of the authority that signed the server's certificate.
        timeout: Seconds to wait for one answer.
    """

    endpoint: str | None = None
    namespace: str | None = None
    token: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    service_account: bool = False
    ca_certificate: str | None = None
    timeout: float = 30.0

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """Yields a kfp.Client.

        Raises:
            BadInput: No server is given and none is found, or the pod has no token, or an option has a line break.
            ServerFailed: A request in the `with` block failed.
        """
        for option, value in (("--endpoint", self.endpoint), ("--token", self.token), ("--cookie", self.cookie)):
            if value and not value.isprintable():
                raise BadInput(f"{option}: has a line break or another control character; give the text without it")
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")  # kfp and Google's packages warn about versions
            import kfp_server_api
            import urllib3

            try:
                yield _client_class(self.timeout)(
                    host=self.endpoint,
                    namespace=self.namespace or "kubeflow",
                    existing_token=self.token,
                    cookies=self.cookie,
                    ssl_ca_cert=self.ca_certificate,
                    credentials=_own_token() if self.service_account else None,
                )
            except kfp_server_api.ApiException as error:
                raise ServerFailed(self._answer(error)) from None
            except urllib3.exceptions.HTTPError as error:
                raise ServerFailed(self._no_answer(error)) from None

    def _answer(self, error: Any) -> str:
        reason = _message(error.body) or error.reason or ""
        match error.status:
            case 401 | 403:
                return (
                    f"{self.name}: the server denies access ({error.status} {reason}); give --token, --cookie or, in "
                    "a pod, --service-account-token"
                )
            case 404:
                return f"{self.name}: not found ({reason or 'is this the address of Kubeflow Pipelines?'})"
            case status:
                return f"{self.name}: the server answered {status}: {reason}"

    def _no_answer(self, error: Exception) -> str:
        if "timed out" in str(error).lower():
            return f"{self.name}: no answer within {self.timeout:g} s; try again, or raise --timeout"
        why = str(error).rpartition(": ")[2]
        return f"{self.name}: cannot connect ({why}); check that the server, or the port-forward, is running"

    @property
    def name(self) -> str:
        """The server's name in messages."""
        return self.endpoint or "the cluster"


def _client_class(timeout: float) -> type:
    """Returns kfp.Client with a timeout.

    kfp.Client itself waits without limit, and its constructor silently makes five attempts.
    """
    import kfp
    import kfp_server_api

    class Client(kfp.Client):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            api_client = self._run_api.api_client
            request = api_client.request

            def within(*arguments: Any, **named: Any) -> Any:
                return request(*arguments, **{**named, "_request_timeout": _both(timeout)})

            api_client.request = within

        def _load_config(self, *arguments: Any, **named: Any) -> Any:
            config = super()._load_config(*arguments, **named)
            if not any(arguments[:1]) and config.host == kfp_server_api.Configuration().host:
                raise BadInput(
                    "--endpoint: give the server's URL, such as http://localhost:8080 (KF_PIPELINES_ENDPOINT)"
                )
            config.retries = False
            return config

        def get_kfp_healthz(self, *_: Any, **__: Any) -> Any:
            return getattr(self._healthz_api, HEALTHZ_METHOD)(_request_timeout=_both(timeout))

    return Client


def _own_token() -> Any:
    """Returns the pod's token. kfp reads it again for each request, because the kubelet renews it."""
    from kfp import client

    file = os.environ.get(client.KF_PIPELINES_SA_TOKEN_ENV) or client.KF_PIPELINES_SA_TOKEN_PATH
    try:
        Path(file).read_text()
    except OSError as error:
        raise BadInput(
            f"--service-account-token: {file} cannot be read ({error.strerror}); mount a token for the audience "
            f"pipelines.kubeflow.org there, or set {client.KF_PIPELINES_SA_TOKEN_ENV} to the token's file"
        ) from None
    return client.ServiceAccountTokenVolumeCredentials(file)


def _both(timeout: float) -> tuple[float, float]:
    """Returns the timeouts to connect and to read. kfp takes a single number only if it is an integer."""
    return timeout, timeout


def _message(body: Any) -> str:
    """Returns the server's message without its stack trace."""
    try:
        answer = json.loads(body)
    except (TypeError, ValueError):
        return ""
    text = answer.get("error_message") or answer.get("message") or answer.get("error") or ""
    return str(text).partition("\n")[0][:300]
