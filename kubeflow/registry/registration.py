"""Registration: what the Model Registry stores about a pushed model, from the report's content."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from efficientmixnet.modules.text.secrets import mask

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Registration:
    """A version of a model.

    Args:
        model: The name of the model: that of the pipeline.
        version: The version of the pushed model.
        uri: The URI from which KServe serves it.
        description: One line about it.
        properties: Metrics and lineage by name.
        source: The run that trained it, in the words of the registry.
    """

    model: str
    version: str
    uri: str
    description: str
    properties: Mapping[str, str | float] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)

    def custom_properties(self) -> dict[str, dict[str, Any]]:
        """Returns the properties with their types, as the registry takes them."""
        return {name: _typed(value) for name, value in self.properties.items()}

    def artifact(self) -> dict[str, Any]:
        """Returns the ModelArtifact."""
        return {
            "artifactType": "model-artifact",
            "name": self.version,
            "uri": self.uri,
            "state": "LIVE",
            "modelFormatName": "tensorflow",
            "modelFormatVersion": "2",
            **self.source,
        }


def registration_of(
    content: Mapping[str, Any],
    images: str,
    place: str,
    uri: str,
    model: str,
    report: str,
    made_with: Mapping[str, str],
) -> Registration:
    """Returns the registration of a pushed model.

    Args:
        content: The report's content.
        images: The images or the manifest of this run. Those of the configuration may have been replaced.
        place: Where the model was pushed.
        uri: The URI from which KServe serves it.
        model: The URI of the Model artifact that was pushed.
        report: Where the report is.
        made_with: By name, the versions of the code and the packages.
    """
    verdict, config = content["verdict"], content["config"]
    properties: dict[str, str | float] = dict(_metrics(verdict))
    properties |= {
        "images": images,
        **{f"images_{split}": float(count) for split, count in content["splits"].items()},
        "network": content["network"]["name"],
        "parameters": float(content["network"]["parameters"]),
        "seed": float(config["training"]["seed"]),
        "trained_model": model,
        "pushed_model": place,
        "report": report,
        **made_with,
    }
    return Registration(
        config["name"],
        place.rpartition("/")[2],
        uri,
        mask(verdict["reason"]),
        properties,
        _source(model, config["name"]),
    )


def _metrics(verdict: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for prefix, key in (("", "metrics"), ("test_", "test_metrics"), ("baseline_", "baseline_metrics")):
        for name, value in verdict.get(key, {}).items():
            if math.isfinite(value):  # JSON has no other numbers.
                yield f"{prefix}{name}", float(value)


def _source(model: str, name: str) -> dict[str, str]:
    """The run that trained the model. It may be an earlier one, if the cluster took the model from its cache."""
    before, found, _ = model.partition("/Trainer/")
    if not found:
        return {}
    source = {
        "modelSourceKind": "kfp",
        "modelSourceClass": "pipelinerun",
        "modelSourceId": before.rpartition("/")[2],
        "modelSourceName": name,
    }
    return {**source, "modelSourceGroup": _NAMESPACE.read_text().strip()} if _NAMESPACE.is_file() else source


def _typed(value: str | float) -> dict[str, Any]:
    if isinstance(value, str):
        return {"metadataType": "MetadataStringValue", "string_value": mask(value)}
    return {"metadataType": "MetadataDoubleValue", "double_value": value}
