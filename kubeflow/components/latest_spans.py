"""LatestSpans: merges the examples of the present span and of earlier spans into one artifact."""

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
    """Copies the files of every split. The names start with the span's age, so that they differ.

    On one machine there is one artifact for each span, but a task of Kubeflow Pipelines has one artifact for each
    output.

    Args:
        now: The examples of the present span.
        examples: The merged examples.
        earlier: A JSON list of URIs: the examples of the earlier spans.

    Raises:
        BadInput: The examples of an earlier span are missing, or lack a split.
    """
    examples.split_names, examples.span, examples.version = now.split_names, now.span, now.version
    folders = {f"Split-{split}" for split in artifact_utils.decode_split_names(now.split_names)}
    for age, place in enumerate([now.uri, *json.loads(earlier)]):
        files = [file.name.partition("/") for file in files_of(place)]
        if lacking := folders - {folder for folder, _, _ in files}:
            raise BadInput(
                f"data.splits: {place} has no {', '.join(sorted(lacking))}; give the splits that it has, or set "
                "data.training_spans to 1"
            )
        for folder, _, name in files:
            if folder in folders:
                object_store.download(f"{place}/{folder}/{name}", f"{examples.uri}/{folder}/{age}-{name}")
        print(f"training on {to_uri(place)}")
