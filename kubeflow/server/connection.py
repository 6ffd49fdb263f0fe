"""Connection: kfp.Client with time-outs, and with one clear line for each way in which a server can fail."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput, ServerFailed
from efficientmixnet.modules.stack import HEALTHZ_METHOD


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
            BadInput: nothing says where the server is, or the pod has no token.
        """
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")  # kfp and Google's packages announce which versions they like
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
                raise ServerFailed(self._silence(error)) from None

    def _answer(self, error: Any) -> str:
        said = _message(error.body) or error.reason or ""
        match error.status:
            case 401 | 403:
                return (
                    f"{self._where}: the server does not let you in ({error.status} {said}); give --token, --cookie "
                    "or, in a pod, --service-account-token"
                )
            case 404:
                return f"{self._where}: not found ({said or 'is this the address of Kubeflow Pipelines?'})"
            case status:
                return f"{self._where}: the server answered {status}: {said}"

    def _silence(self, error: Exception) -> str:
        if "timed out" in str(error).lower():
            return f"{self._where}: no answer within {self.timeout:g} s; try again, or raise --timeout"
        why = str(error).rpartition(": ")[2]
        return f"{self._where}: cannot be reached ({why}); is the server, or the port-forward, running?"

    @property
    def _where(self) -> str:
        return self.endpoint or "the cluster"


def _client_class(timeout: float) -> type:
    """kfp.Client, which of itself waits for ever, and tries five times, silently, when it is made."""
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
                raise BadInput("--endpoint: name the server, such as http://localhost:8080 (KF_PIPELINES_ENDPOINT)")
            config.retries = False
            return config

        def get_kfp_healthz(self, *_: Any, **__: Any) -> Any:
            return getattr(self._healthz_api, HEALTHZ_METHOD)(_request_timeout=_both(timeout))

    return Client


def _own_token() -> Any:
    """The pod's, which kfp reads anew for every question, as the kubelet renews it."""
    from kfp import client

    file = os.environ.get(client.KF_PIPELINES_SA_TOKEN_ENV) or client.KF_PIPELINES_SA_TOKEN_PATH
    try:
        Path(file).read_text()
    except OSError as error:
        raise BadInput(
            f"--service-account-token: {file} cannot be read ({error.strerror}); mount a token for the audience "
            f"pipelines.kubeflow.org there, or name its file in {client.KF_PIPELINES_SA_TOKEN_ENV}"
        ) from None
    return client.ServiceAccountTokenVolumeCredentials(file)


def _both(timeout: float) -> tuple[float, float]:
    """To connect, and to read; a single number would have to be a whole one."""
    return timeout, timeout


def _message(body: Any) -> str:
    """What the server says, without its stack."""
    try:
        answer = json.loads(body)
    except (TypeError, ValueError):
        return ""
    text = answer.get("error_message") or answer.get("message") or answer.get("error") or ""
    return str(text).partition("\n")[0][:300]
