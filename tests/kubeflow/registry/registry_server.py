"""RegistryServer: answers as Kubeflow's Model Registry does, and checks each request by its published OpenAPI.

openapi.json is an extract of the specification. `source` in it names the version.
"""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
from json_server import JsonServer, send

OPENAPI = json.loads((Path(__file__).parent / "openapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]
API = "/api/model_registry/v1alpha3"


class RegistryServer(JsonServer):
    """Keeps what is registered in memory. `failing` lists the next answers' status codes; 0 is no answer."""

    def __init__(self) -> None:
        self.models: list[dict[str, Any]] = []
        self.versions: list[dict[str, Any]] = []
        self.artifacts: list[dict[str, Any]] = []
        self.failing: list[int] = []
        self.requests: list[str] = []
        self.tokens: set[str | None] = set()
        self.problems: list[str] = []
        self.listen()

    def _answer(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        asked = urlsplit(handler.path)
        self.requests.append(f"{handler.command} {asked.path.removeprefix(API)}")
        self.tokens.add(handler.headers.get("Authorization"))
        status, answer = 0, {}
        if not self.failing or self.failing[0] == -1:  # -1: the request arrives, and its answer is lost
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            status, answer = self._handle(handler.command, asked.path, query, json.loads(content or "null"))
        if self.failing:
            status = max(self.failing.pop(0), 0)
            answer = {"code": "", "message": f"refused with {status}"}
        if status == 0:
            handler.close_connection = True
            return
        send(handler, status, answer)

    def _handle(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        template, number = re.sub(r"/(\d+)/", "/{modelversionId}/", path), re.search(r"/(\d+)/", path)
        operation = OPENAPI["paths"].get(template, {}).get(method.lower())
        if operation is None:
            self.problems.append(f"{method} {path}: is not in the specification")
            return 404, {"code": "", "message": "not found"}
        self.problems += [f"{path}: {name} is not a parameter" for name in set(query) - set(operation["query"])]
        if "body" in operation:
            self.problems += problems(body, operation["body"])
        status, answer = self._route(method, template, number[1] if number else "", query, body)
        assert status in operation["statuses"]
        return status, answer

    def _route(self, method: str, path: str, parent: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        match method, path.removeprefix(API):
            case "GET", "/registered_model":
                return _one(one for one in self.models if one["name"] == query["name"])
            case "GET", "/model_version":
                key = query["name"], query["parentResourceId"]
                return _one(one for one in self.versions if (one["name"], one["registeredModelId"]) == key)
            case "POST", "/registered_models":
                return _add(self.models, body, ("name",))
            case "POST", "/model_versions":
                return _add(self.versions, body, ("name", "registeredModelId"))
            case "POST", _:
                return _add(self.artifacts, {**body, "parent": parent}, ("name", "parent"))
            case _:
                items = [one for one in self.artifacts if one["parent"] == parent and one["name"] == query["name"]]
                return 200, {"items": items, "nextPageToken": "", "pageSize": 0, "size": len(items)}


def problems(body: Any, schema: dict[str, Any]) -> Iterator[str]:
    """What the specification does not allow in a body, with names that no schema has."""
    validator = jsonschema.Draft202012Validator({**schema, "components": OPENAPI["components"]})
    yield from (error.message for error in validator.iter_errors(body))
    yield from (f"{name} is unknown" for name in set(body) - known(schema))


def known(schema: dict[str, Any]) -> set[str]:
    """The names of all properties in a schema and in those that it is put together from."""
    if "$ref" in schema:
        return known(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    return set(schema.get("properties", {})).union(*(known(one) for one in schema.get("allOf", [])))


def _one(found: Iterator[dict[str, Any]]) -> tuple[int, Any]:
    one = next(found, None)
    return (200, one) if one else (404, {"code": "", "message": "not found"})


def _add(to: list[dict[str, Any]], body: dict[str, Any], key: tuple[str, ...]) -> tuple[int, Any]:
    if any(all(one[name] == body[name] for name in key) for one in to):
        return 409, {"code": "", "message": "already exists"}
    to.append({**body, "id": str(len(to) + 1)})
    return 201, to[-1]
