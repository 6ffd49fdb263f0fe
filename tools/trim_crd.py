"""Trims a published CustomResourceDefinition to what a manifest uses, for tests/kubeflow/crds.

    python tools/trim_crd.py CRD.yaml MANIFEST.yaml VERSION 'SOURCE' > tests/kubeflow/crds/KIND.json

At each level that the manifest reaches, all names stay, so that a test still finds a key that is not one of them. Below
other names, everything is allowed.
"""

import functools
import json
import sys
from pathlib import Path
from typing import Any

import yaml

ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
# Texts, and rules about names below which everything is allowed.
DROPPED = ("description", "default", "x-kubernetes-validations")


def main() -> None:
    crd_file, manifest_file, version, source = sys.argv[1:]
    crd = yaml.safe_load(Path(crd_file).read_text())
    manifest = yaml.safe_load(Path(manifest_file).read_text())
    spec = crd["spec"]
    (found,) = (one for one in spec["versions"] if one["name"] == version)
    schema = trim(found["schema"]["openAPIV3Schema"], manifest)
    schema["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    trimmed = {
        "apiVersion": crd["apiVersion"],
        "kind": crd["kind"],
        "metadata": {"name": crd["metadata"]["name"], "annotations": {"source": source}},
        "spec": {
            **{key: spec[key] for key in ("group", "names", "scope")},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    print(json.dumps(trimmed, indent=1))


def trim(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Returns the part of a schema that applies to this value."""
    kept = {key: one for key, one in schema.items() if key not in DROPPED}
    if "properties" in schema and isinstance(value, dict):
        kept["properties"] = {
            name: trim(one, value[name]) if name in value else ANYTHING for name, one in schema["properties"].items()
        }
    elif "items" in schema and isinstance(value, list) and value:
        kept["items"] = trim(schema["items"], functools.reduce(merge, value))
        for name in schema.get("x-kubernetes-list-map-keys", ()):  # These need a type.
            kept["items"]["properties"][name] = schema["items"]["properties"][name]
    return kept


def merge(first: Any, second: Any) -> Any:
    """Returns an object with the names of both, at every level."""
    if isinstance(first, list):
        return [*first, *second]
    if not isinstance(first, dict):
        return first
    shared = {name: merge(first[name], second[name]) for name in first.keys() & second.keys()}
    return {**first, **second, **shared}


if __name__ == "__main__":
    main()
