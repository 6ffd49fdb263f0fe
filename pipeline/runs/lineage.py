"""lineage: the components, data, configuration and code that a pushed model was made with, from ML Metadata."""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from efficientmixnet.components.tuner.hyperparameters import FILE, found_in
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.modules.files.check_name import check_name
from efficientmixnet.pipeline.runs.metadata import METADATA_FILE, open_metadata
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.runs import runs_of
from efficientmixnet.pipeline.terminal import PlainConsole

_SHOWN = {"ImageExampleGen": ("images", "manifest", "corrections", "fingerprint")}


@dataclass(frozen=True)
class Step:
    """One execution that contributed to the model."""

    execution: int
    component: str
    properties: dict[str, Any]
    outputs: list[str]
    found: dict[str, Any]  # the hyperparameters from a search that replaced configured values, by key


@dataclass(frozen=True)
class Lineage:
    """A model, the steps that made it in the order of execution, and the summary of its run if it still exists."""

    model: str
    steps: list[Step]
    summary: Summary | None


def lineage(model: str) -> Lineage:
    """Returns the lineage of a pushed model.

    Args:
        model: The folder of the model, or the folder of pushed models for the newest one.

    Raises:
        BadInput: ML Metadata has no record of the model, or the folder's name is not text.
        OSError: The folder cannot be read.
    """
    folder = Path(model).resolve()
    check_name(str(folder))
    with suppress(FileNotFoundError, NotADirectoryError):
        os.listdir(folder)  # A folder that cannot be read is an OSError.
    with suppress(BadInput):  # a folder without a model is refused below
        folder = newest_version(folder)
    output = folder.parent.parent
    database = output / METADATA_FILE
    if not database.is_file():
        raise BadInput(
            f"{model}: the output folder has no {METADATA_FILE}; give a model in the folder OUTPUT/pushed of a run"
        )
    store = open_metadata(database)
    pushed = [
        artifact.id
        for artifact in store.get_artifacts_by_type("PushedModel")
        if artifact.custom_properties["pushed_destination"].string_value == str(folder)
    ]
    if not pushed:
        raise BadInput(f"{folder}: {database} has no run that pushed this model; give another model")
    steps = sorted(_steps(store, pushed[:1]), key=lambda step: step.execution)
    summaries = (one for one in runs_of(str(output)) if one.pushed_model == str(folder))
    return Lineage(str(folder), steps, next(summaries, None))


def _steps(store: mlmd.MetadataStore, artifacts: list[int]) -> Iterator[Step]:
    """The executions that made the artifacts, and recursively those that made their inputs."""
    types = {kind.id: kind.name for kind in store.get_execution_types()}
    seen: set[int] = set()
    while artifacts:
        made = [event for event in store.get_events_by_artifact_ids(artifacts) if _is_output(event)]
        # A cached execution only repeats the outputs of the first one.
        makers: dict[int, int] = {}
        for event in made:
            makers[event.artifact_id] = min(event.execution_id, makers.get(event.artifact_id, event.execution_id))
        new = set(makers.values()) - seen
        seen |= new
        events = store.get_events_by_execution_ids(sorted(new)) if new else []
        uris = {one.id: one.uri for one in store.get_artifacts_by_id([event.artifact_id for event in events])}
        for execution in store.get_executions_by_id(sorted(new)) if new else []:
            properties = {
                name: getattr(value, kind)
                for name, value in execution.custom_properties.items()
                if (kind := value.WhichOneof("value"))
            }
            own = (event for event in events if event.execution_id == execution.id and _is_output(event))
            component = types[execution.type_id].rpartition(".")[2]
            outputs = [uris[event.artifact_id] for event in own]
            taken = (uris[event.artifact_id] for event in events if event.execution_id == execution.id)
            yield Step(execution.id, component, properties, outputs, _found(set(taken) - set(outputs)))
        artifacts = [event.artifact_id for event in events if not _is_output(event)]


def _found(inputs: Iterable[str]) -> dict[str, Any]:
    """The hyperparameters of the search, if one of the inputs is its result."""
    files = (Path(uri, FILE) for uri in inputs)
    file = next((file for file in files if file.is_file()), None)
    return found_in(str(file.parent)) if file else {}


def _is_output(event: metadata_store_pb2.Event) -> bool:
    return event.type == metadata_store_pb2.Event.OUTPUT


def print_lineage(found: Lineage) -> None:
    """Prints the model, its run, and the inputs and outputs of each step."""
    console = PlainConsole(soft_wrap=True)
    rows = [("model", found.model)]
    if summary := found.summary:
        versions = ", ".join(f"{name} {version}" for name, version in summary.versions.items())
        rows += [
            ("run", summary.run),
            ("started", summary.started),
            ("result", summary.reason),
            ("code", f"{summary.revision or 'installed package'}; {versions}"),
            ("configuration", f"{summary.run}/config.yaml"),
        ]
    for name, value in rows:
        console.print(f"{name:<14} {value}")
    console.print()
    for step in found.steps:
        console.print(f"{step.component:<17} execution {step.execution}")
        for name in _SHOWN.get(step.component, ()):
            if step.properties.get(name):
                console.print(f"  {name}: {step.properties[name]}")
        for key, value in step.found.items():
            console.print(f"  {key}: {value} (found by the search)")
        for uri in step.outputs:
            console.print(f"  -> {uri}")


def as_json(found: Lineage) -> dict[str, Any]:
    """Returns the lineage as a value of JSON."""
    summary = found.summary and found.summary.model_dump(mode="json")
    steps = [dataclasses.asdict(step) for step in found.steps]
    return {"model": found.model, "summary": summary, "steps": steps}
