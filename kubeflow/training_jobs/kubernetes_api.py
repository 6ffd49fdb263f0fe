"""KubernetesApi: the requests of a training job to the cluster, repeated while the API server does not answer."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import Resource
from efficientmixnet.kubeflow.wait_for_answer import wait_for_answer
from efficientmixnet.modules.exceptions import BadInput, RequestRefused, ServerUnavailable

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TEMPORARY = frozenset({0, 429, 500, 502, 503, 504})  # 0: the TLS connection broke
_TIMEOUT = (10.0, 30.0)  # seconds to connect, and to read the answer


class KubernetesApi:
    """A client for one namespace: this pod's, or the one in the kubeconfig.

    Every request raises RequestRefused if the server refuses it, and ServerUnavailable if the server does not answer
    in time.

    Args:
        patience: Seconds for which a request is repeated while the server does not answer.
        pause: Seconds between two attempts.
    """

    def __init__(self, patience: float = 900.0, pause: float = 5.0) -> None:
        import kubernetes
        import urllib3

        self._patience, self._pause = patience, pause
        self._lost = (urllib3.exceptions.HTTPError, OSError)
        self._refused = kubernetes.client.ApiException
        configuration = kubernetes.client.Configuration()
        self.namespace = _load(configuration)
        configuration.retries = False
        self._client = kubernetes.client.ApiClient(configuration)
        self._objects = kubernetes.client.CustomObjectsApi(self._client)
        self._core = kubernetes.client.CoreV1Api(self._client)

    def create(self, resource: Resource, manifest: dict[str, Any]) -> dict[str, Any]:
        """Creates the object. Raises RequestRefused with status 409 if the name is taken."""
        return dict(
            self._ask(
                self._objects.create_namespaced_custom_object,
                resource.group,
                resource.version,
                self.namespace,
                resource.plural,
                manifest,
            )
        )

    def get(self, resource: Resource, name: str) -> dict[str, Any] | None:
        """Returns the object, or None if it does not exist."""
        with _none_if_missing():
            place = (resource.group, resource.version, self.namespace, resource.plural, name)
            return dict(self._ask(self._objects.get_namespaced_custom_object, *place))
        return None

    def delete(self, resource: Resource, name: str) -> None:
        """Deletes the object. The cluster deletes its pods in the background."""
        with _none_if_missing():
            place = (resource.group, resource.version, self.namespace, resource.plural, name)
            self._ask(self._objects.delete_namespaced_custom_object, *place, body={"propagationPolicy": "Background"})

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Returns the pods with these labels."""
        return list(self._pods("", labelSelector=selector)["items"])

    def is_running(self, pod: str) -> bool:
        """Whether the pod exists and has not ended."""
        with _none_if_missing():
            return self._pods(f"/{pod}")["status"].get("phase") not in ("Succeeded", "Failed")
        return False

    def _pods(self, name: str, **query: str) -> Any:
        # Not CoreV1Api: its models set the level of every logger for each part of a pod, and hold logging's lock
        # meanwhile. A SIGTERM at that moment leaves the lock closed.
        return self._ask(
            self._client.call_api,
            f"/api/v1/namespaces/{self.namespace}/pods{name}",
            "GET",
            query_params=list(query.items()),
            auth_settings=["BearerToken"],
            response_type="object",
            _return_http_data_only=True,
        )

    def log(self, pod: str, container: str, quiet_seconds: float) -> Iterator[str]:
        """Yields the container's lines as they come, from the first one on.

        Ends when the container ends, after `quiet_seconds` without a line, or when the server does not answer. Call it
        again for more.
        """
        try:
            answer = self._core.read_namespaced_pod_log(
                pod,
                self.namespace,
                container=container,
                follow=True,
                _preload_content=False,
                _request_timeout=(_TIMEOUT[0], quiet_seconds),
            )
        except (self._refused, *self._lost):
            return
        with contextlib.closing(answer), contextlib.suppress(*self._lost):
            rest = b""
            for block in answer.stream(4096):
                *lines, rest = (rest + block).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
            if rest:
                yield rest.decode(errors="replace")

    def _ask(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        def send() -> Any:
            try:
                return call(*arguments, _request_timeout=_TIMEOUT, **named)
            except self._refused as error:
                if error.status not in _TEMPORARY:
                    raise RequestRefused(error.status, _message(error)) from None
                reason = f"{error.status} {error.reason}"
            except self._lost as error:
                reason = str(error).rpartition(": ")[2]
            raise ServerUnavailable(f"the API server does not answer ({reason})")

        try:
            return wait_for_answer(send, "the API server", self._patience, self._pause)
        except ServerUnavailable as error:
            raise ServerUnavailable(f"{error}, after {self._patience:g} s of trying") from None


def _load(configuration: Any) -> str:
    """Fills in the server's address and the credentials. Returns the namespace."""
    import kubernetes

    with contextlib.suppress(kubernetes.config.ConfigException):
        kubernetes.config.load_incluster_config(client_configuration=configuration)
        return _NAMESPACE.read_text().strip()
    try:
        file = os.environ.get("KUBECONFIG")
        kubernetes.config.load_kube_config(file, client_configuration=configuration)
        _, context = kubernetes.config.list_kube_config_contexts(file)
    except kubernetes.config.ConfigException as error:
        raise BadInput(
            f"kubeflow.trainer.job_kind: no cluster found ({error}); run the component in a pod, or set KUBECONFIG"
        ) from None
    return str(context["context"].get("namespace", "default"))


@contextlib.contextmanager
def _none_if_missing() -> Iterator[None]:
    try:
        yield
    except RequestRefused as error:
        if error.status != 404:
            raise


def _message(error: Any) -> str:
    """Returns the server's reason in one line."""
    try:
        message = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        message = error.body or error.reason or ""
    return " ".join(str(message).split())
