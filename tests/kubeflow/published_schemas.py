"""problems: what the published schema of a resource does not allow in a manifest.

crds/ has extracts of CustomResourceDefinitions, which tools/trim_crd.py has made. Each names its source.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

CRDS = Path(__file__).parent / "crds"


def problems(manifest: dict[str, Any]) -> list[str]:
    """Returns a line for each wrong value and for each unknown key."""
    spec = json.loads((CRDS / f"{manifest['kind']}.json").read_text())["spec"]
    (version,) = spec["versions"]
    assert manifest["apiVersion"] == f"{spec['group']}/{version['name']}"
    schema = version["schema"]["openAPIV3Schema"]
    wrong = jsonschema.Draft202012Validator(schema).iter_errors(manifest)
    return [*(f"{error.json_path}: {error.message}" for error in wrong), *_unknown(manifest, schema, "$")]


def _unknown(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from _unknown(inner, schema["properties"][name], f"{place}.{name}")
            else:
                yield f"{place}.{name}: is unknown"
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unknown(inner, schema.get("items", {}), f"{place}[{number}]")
