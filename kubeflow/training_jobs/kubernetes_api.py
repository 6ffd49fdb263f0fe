"""KubernetesApi: what a training job asks of the cluster, with patience for a server that is away for a while."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import Resource
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, RequestRefused, ServerUnavailable

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_PASSING = frozenset({0, 429, 500, 502, 503, 504})  # 0: the connection was cut within TLS
_TIMEOUT = (10.0, 30.0)  # seconds to connect, and to the answer


class KubernetesApi:
    """The namespace of this pod, or the one that the kubeconfig names.

    Args:
        patience: Seconds that the server may be away.
        pause: Seconds between two questions to a server that is away.
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
        """Makes the object; RequestRefused with 409 where there is one of that name."""
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
        """The object, or None."""
        with _nothing_for_404():
            place = (resource.group, resource.version, self.namespace, resource.plural, name)
            return dict(self._ask(self._objects.get_namespaced_custom_object, *place))
        return None

    def delete(self, resource: Resource, name: str) -> None:
        """Removes the object, and in the background all that was made for it."""
        with _nothing_for_404():
            place = (resource.group, resource.version, self.namespace, resource.plural, name)
            self._ask(self._objects.delete_namespaced_custom_object, *place, body={"propagationPolicy": "Background"})

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """The pods with these labels."""
        return list(self._pods("", labelSelector=selector)["items"])

    def is_running(self, pod: str) -> bool:
        """Whether the pod is there, and has not ended."""
        with _nothing_for_404():
            return self._pods(f"/{pod}")["status"].get("phase") not in ("Succeeded", "Failed")
        return False

    def _pods(self, name: str, **query: str) -> Any:
        # The client's own models reset all of Python's loggers, one by one and for each part of a pod, under a lock
        # that stays locked where SIGTERM interrupts it.
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
        """The container's lines, from its first one on, as they come.

        It ends with the container, after so many quiet seconds, or when the server is away: ask again.
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
        away_since = None
        while True:
            try:
                answer = call(*arguments, _request_timeout=_TIMEOUT, **named)
            except self._refused as error:
                if error.status not in _PASSING:
                    raise RequestRefused(error.status, _message(error)) from None
                reason = f"{error.status} {error.reason}"
            except self._lost as error:
                reason = str(error).rpartition(": ")[2]
            else:
                if away_since is not None:
                    progress.tell("the API server is back")
                return answer
            if away_since is None:
                away_since = time.monotonic()
                progress.tell(f"the API server does not answer ({reason}); the job goes on, and is asked for again")
            if time.monotonic() - away_since > self._patience:
                raise ServerUnavailable(f"the API server was away for {self._patience:g} s: {reason}")
            time.sleep(self._pause)


def _load(configuration: Any) -> str:
    """Fills in where the server is, and who asks; returns the namespace."""
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
            f"kubeflow.trainer.job_kind: there is no cluster to train in ({error}); the component runs in a pod, "
            "or where KUBECONFIG names a cluster"
        ) from None
    return str(context["context"].get("namespace", "default"))


@contextlib.contextmanager
def _nothing_for_404() -> Iterator[None]:
    try:
        yield
    except RequestRefused as error:
        if error.status != 404:
            raise


def _message(error: Any) -> str:
    """What the server says, in a line."""
    try:
        said = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        said = error.body or error.reason or ""
    return " ".join(str(said).split())
