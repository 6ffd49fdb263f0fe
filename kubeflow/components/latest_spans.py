"""The component LatestSpans: the present examples and those of the spans before it become one artifact."""

import json

from tfx import v1 as tfx
from tfx.types import artifact_utils

from efficientmixnet.kubeflow.components.fetch import files_of
from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exceptions import BadInput


@tfx.dsl.components.component
def LatestSpans(
    now: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    examples: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Examples],
    earlier: tfx.dsl.components.Parameter[str],
) -> None:
    """Copies the records of every split, which are of one form, under names that say which span they are of.

    A task of Kubeflow Pipelines takes and makes one artifact of a name, where on one machine there is one a span.

    Raises:
        BadInput: An earlier span is gone, or lacks a split.
    """
    examples.split_names, examples.span, examples.version = now.split_names, now.span, now.version
    folders = {f"Split-{split}" for split in artifact_utils.decode_split_names(now.split_names)}
    for age, place in enumerate([now.uri, *json.loads(earlier)]):
        files = [file.name.partition("/") for file in files_of(place)]
        if lacking := folders - {folder for folder, _, _ in files}:
            raise BadInput(
                f"data.splits: {place} has no {', '.join(sorted(lacking))}; name the splits that it has, or give "
                "data.training_spans 1"
            )
        for folder, _, name in files:
            if folder in folders:
                object_store.download(f"{place}/{folder}/{name}", f"{examples.uri}/{folder}/{age}-{name}")
        print(f"learns from {to_uri(place)}")
