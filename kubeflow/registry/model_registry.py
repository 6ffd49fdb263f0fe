"""ModelRegistry: registers a version of a model in Kubeflow's Model Registry, by its REST API v1alpha3.

Each request can be repeated: it first asks whether the registry has the object. The official client, `model-registry`,
is not used: a registration that was interrupted between its requests cannot be completed with it.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from efficientmixnet.kubeflow.registry.registration import Registration
from efficientmixnet.kubeflow.wait_for_answer import wait_for_answer
from efficientmixnet.modules.exceptions import BadInput, RequestRefused, ServerUnavailable

TOKEN_VARIABLE = "MODEL_REGISTRY_TOKEN"  # noqa: S105  the name of an environment variable
_KEY = "kubeflow.model_registry"
_API = "/api/model_registry/v1alpha3"
_MISSING, _EXISTS = 404, 409
_TEMPORARY = frozenset({429, 500, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 20.0  # seconds
_LONGEST_REASON = 300  # characters


class ModelRegistry:
    """A client of one registry. The environment variable MODEL_REGISTRY_TOKEN can hold a bearer token.

    Args:
        url: The address of the registry, without the path of its API.
        patience: Seconds for which a request is repeated while the registry does not answer.
    """

    def __init__(self, url: str, patience: float = 180.0) -> None:
        import urllib3

        self._url, self._patience = url.rstrip("/"), patience
        self._lost = urllib3.exceptions.HTTPError
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=10.0, read=30.0), retries=False)
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def register(self, one: Registration) -> str:
        """Registers a version, unless it is registered.

        Args:
            one: The version.

        Returns:
            The version's number in the registry.

        Raises:
            BadInput: The registry refuses a request, or has the version with another URI.
            ServerUnavailable: The registry does not answer in time.
        """
        model = self._named("registered_model", {"name": one.model}, {})
        version = self._named(
            "model_version",
            {"name": one.version, "parentResourceId": model},
            {"registeredModelId": model, "description": one.description, "customProperties": one.custom_properties()},
        )
        place = f"/model_versions/{version}/artifacts"
        found = self._find_or_create(lambda: self._artifact(place, one.version), place, one.artifact())
        if found.get("uri") != one.uri:
            raise BadInput(
                f"{_KEY}: {self._url} has {one.model} {one.version} with the URI {found.get('uri')}, not {one.uri}; "
                "delete it there, or give the pipeline another name"
            )
        return version

    def _named(self, kind: str, key: Mapping[str, str], body: Mapping[str, Any]) -> str:
        """Returns the id of the object with this name, which is created if it does not exist."""

        def find() -> dict[str, Any] | None:
            try:
                return self._ask("GET", f"/{kind}?{urlencode(key)}")
            except RequestRefused as error:
                if error.status != _MISSING:
                    raise
            return None

        number = str(self._find_or_create(find, f"/{kind}s", {"name": key["name"], **body}).get("id", ""))
        if not number.isdecimal():
            raise self._not_a_registry()
        return number

    def _artifact(self, place: str, name: str) -> dict[str, Any] | None:
        found = self._ask("GET", f"{place}?{urlencode({'artifactType': 'model-artifact', 'name': name})}").get("items")
        if not isinstance(found, list):
            raise self._not_a_registry()
        return next(iter(found), None)

    def _find_or_create(
        self, find: Callable[[], dict[str, Any] | None], place: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Returns the object. It may exist although nobody else created it, if the answer to the request was lost."""
        if found := find():
            return found
        try:
            return self._ask("POST", place, body)
        except RequestRefused as error:
            if error.status == _MISSING:
                raise self._not_a_registry() from None
            if error.status != _EXISTS or not (found := find()):
                raise
            return found

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        def send() -> Any:
            try:
                return self._http.request(
                    method, f"{self._url}{_API}{path}", json=body, headers=self._headers, redirect=False
                )
            except self._lost as error:
                raise ServerUnavailable(self._away(_cause(error))) from None

        def send_and_check() -> Any:
            answer = send()
            if answer.status in _TEMPORARY:
                raise ServerUnavailable(self._away(f"{answer.status} {_reason(answer.data)}".strip()))
            return answer

        answer = wait_for_answer(
            send_and_check, "the model registry", self._patience, _FIRST_PAUSE, longest_pause=_LONGEST_PAUSE
        )
        return self._checked(answer, f"{method} {path.partition('?')[0]}")

    def _checked(self, answer: Any, request: str) -> dict[str, Any]:
        """Returns the answer's content. Raises RequestRefused for 404 and 409, and BadInput for other errors."""
        if answer.status in (401, 403) or 300 <= answer.status < 400:
            raise BadInput(
                f"{_KEY}: {self._url} denies access ({answer.status}); give a token in {TOKEN_VARIABLE}, with "
                "kubeflow.secrets, or the address within the cluster"
            )
        if answer.status >= 400:
            message = f"{_KEY}: {self._url} refuses {request} ({answer.status} {_reason(answer.data)})"
            if answer.status in (_MISSING, _EXISTS):
                raise RequestRefused(answer.status, message)
            raise BadInput(message)
        try:
            content = json.loads(answer.data)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._not_a_registry()
        return content

    def _away(self, reason: str) -> str:
        return f"{_KEY}: {self._url} does not answer ({reason})"

    def _not_a_registry(self) -> BadInput:
        return BadInput(
            f"{_KEY}: {self._url} does not answer as a Model Registry does; give its address, such as "
            "http://model-registry-service.kubeflow:8080"
        )


def _reason(body: bytes) -> str:
    """Returns the registry's reason in one line."""
    try:
        text = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors="replace")
    return " ".join(str(text).split())[:_LONGEST_REASON]


def _cause(error: Exception) -> str:
    inner = error.args[-1] if error.args and isinstance(error.args[-1], Exception) else error
    return str(inner).rpartition(": ")[2]
