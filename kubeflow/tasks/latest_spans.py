"""LatestSpans: merges the examples of the present span and of earlier spans into one artifact."""

import json

from efficientmixnet.kubeflow.fetched_inputs import files_of
from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.tasks.task import Task
from efficientmixnet.modules.data.record_counts import FILE, RecordCounts, parse_counts, write_counts
from efficientmixnet.modules.exceptions import BadInput


def run(task: Task) -> None:
    """Copies the files of every split. The names start with the span's age, so that they differ.

    On one machine there is one artifact for each span, but a task of Kubeflow Pipelines has one artifact for each
    output.

    Raises:
        BadInput: The examples of an earlier span are missing, or lack a split.
    """
    now, examples = task.inputs["now"], task.outputs["examples"]
    for name in ("split_names", "span", "version"):
        if name in now.properties:
            examples.properties[name] = now.properties[name]
    folders = {f"Split-{split}" for split in now.splits}
    merged: dict[str, RecordCounts] | None = {}
    for age, place in enumerate([now.path, *json.loads(task.parameters["earlier"])]):
        listed = files_of(place)
        merged = _merged(merged, _checked(place, listed))
        files = [file.name.partition("/") for file in listed]
        if lacking := folders - {folder for folder, _, _ in files}:
            raise BadInput(
                f"data.splits: {place} has no {', '.join(sorted(lacking))}; give the splits that it has, or set "
                "data.training_spans to 1"
            )
        for folder, _, name in files:
            if folder in folders:
                object_store.download(f"{place}/{folder}/{name}", f"{examples.path}/{folder}/{age}-{name}")
        print(f"training on {to_uri(place)}")
    if merged:
        write_counts(examples.path, merged)


def _checked(place: str, listed: list[object_store.File]) -> dict[str, RecordCounts]:
    """Returns the size of each split, after a comparison with its files. Nothing if an earlier version wrote them."""
    if not any(file.name == FILE for file in listed):
        return {}
    written = parse_counts(object_store.read_text(f"{place}/{FILE}"), f"{place}/{FILE}")
    for split, counts in written.items():
        sizes = [file.size for file in listed if file.name.startswith(f"Split-{split}/")]
        counts.check(RecordCounts(len(sizes), sum(sizes)), f"{place}/Split-{split}")
    return written


def _merged(before: dict[str, RecordCounts] | None, added: dict[str, RecordCounts]) -> dict[str, RecordCounts] | None:
    """Returns the sum for each split; None if a size is unknown."""
    if before is None or not added:
        return None
    return {split: before[split] + counts if split in before else counts for split, counts in added.items()}
