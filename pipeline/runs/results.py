"""Results: the artifacts of the latest run in ML Metadata."""

from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from efficientmixnet.components.evaluator.verdict import Verdict, read_verdict
from efficientmixnet.pipeline.runs.metadata import open_metadata


class Results:
    """The artifacts of the latest run.

    Args:
        metadata: The SQLite database of ML Metadata.
    """

    def __init__(self, metadata: Path) -> None:
        store = open_metadata(metadata)
        events = _latest_events(store)
        self._artifacts = _by_type(store, [one for one in events if one.type == metadata_store_pb2.Event.OUTPUT])
        self.folders = [one.uri for one in store.get_artifacts_by_id([event.artifact_id for event in events])]
        """The folders of all artifacts that the run has read and written."""

    def uri(self, type_name: str) -> str | None:
        """Returns the folder of the run's artifact of this type, or None."""
        artifact = self._artifacts.get(type_name)
        return artifact and artifact.uri

    def custom_property(self, type_name: str, name: str) -> Any:
        """Returns a custom property of the run's artifact of this type, or None."""
        artifact = self._artifacts.get(type_name)
        if artifact is None or name not in artifact.custom_properties:
            return None
        value = artifact.custom_properties[name]
        return getattr(value, value.WhichOneof("value"))

    def verdict(self) -> Verdict | None:
        """Returns the result of the evaluation, or None if there was none."""
        uri = self.uri("ModelEvaluation")
        return read_verdict(uri) if uri else None


def _latest_events(store: mlmd.MetadataStore) -> list[metadata_store_pb2.Event]:
    """The inputs and outputs of all components of the latest run."""
    run = max(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
    executions = [execution.id for execution in store.get_executions_by_context(run.id)]
    return list(store.get_events_by_execution_ids(executions))


def _by_type(
    store: mlmd.MetadataStore, outputs: list[metadata_store_pb2.Event]
) -> dict[str, metadata_store_pb2.Artifact]:
    """The first output artifact of each type."""
    # The first Examples are those of ImageExampleGen. Transform's come later.
    artifacts = store.get_artifacts_by_id([event.artifact_id for event in outputs])
    latest_first = sorted(artifacts, key=lambda artifact: artifact.id, reverse=True)
    return {artifact.type: artifact for artifact in latest_first}
