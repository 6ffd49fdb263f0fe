"""drawn: says which artifacts of a rehearsal the page of a run in Kubeflow would draw, by the rules of that page.

The page draws four types. It reads HTML and Markdown from the artifact's file, and metrics and classes from the
artifact's metadata.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from efficientmixnet.kubeflow.rehearsal.rehearsal import Rehearsal
from efficientmixnet.kubeflow.store import object_store

_RESERVED = ("display_name", "store_session_info")
_POINT = ("confidenceThreshold", "recall", "falsePositiveRate")


def drawn(rehearsal: Rehearsal) -> Iterator[str]:
    """Yields a line for each artifact of a type that the page draws.

    Args:
        rehearsal: A rehearsal that has run.
    """
    for task, name, kind in rehearsal.declared_artifacts():
        if kind in _RULES:
            artifact = rehearsal.artifact(task, name)
            problem = _RULES[kind](artifact, rehearsal.stored(artifact["uri"]))
            yield f"drawn: {task}.{name} ({kind})" if problem is None else f"not drawn: {task}.{name}: {problem}"


def _file_problem(_: Mapping[str, Any], stored: str) -> str | None:
    files = object_store.files(stored.rpartition("/")[0])
    is_file = any(file.name == stored.rpartition("/")[2] and file.size for file in files)
    return None if is_file else "it has no file, or an empty one"


def _metrics_problem(artifact: Mapping[str, Any], _: str) -> str | None:
    return None if set(artifact["metadata"]) - set(_RESERVED) else "it has no metrics"


def _classes_problem(artifact: Mapping[str, Any], _: str) -> str | None:
    matrix, points = (artifact["metadata"].get(key) for key in ("confusionMatrix", "confidenceMetrics"))
    if not matrix and not points:
        return "it has neither confusionMatrix nor confidenceMetrics"
    if matrix:
        size, rows = len(matrix["annotationSpecs"]), [row["row"] for row in matrix["rows"]]
        if len(rows) != size or any(len(row) != size for row in rows):
            return f"confusionMatrix is not square, or does not have a name for each of its {len(rows)} rows"
    for point in points or ():
        if not all(isinstance(point.get(key), (int, float)) for key in _POINT):
            return f"confidenceMetrics: a point does not have the numbers {', '.join(_POINT)}"
    return None


_RULES: Mapping[str, Callable[[Mapping[str, Any], str], str | None]] = {
    "system.HTML": _file_problem,
    "system.Markdown": _file_problem,
    "system.Metrics": _metrics_problem,
    "system.ClassificationMetrics": _classes_problem,
}
