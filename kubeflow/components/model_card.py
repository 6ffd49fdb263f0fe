"""ModelCard: writes the model card of a pushed model."""

from datetime import datetime, timezone
from pathlib import Path

from tfx import v1 as tfx

from efficientmixnet.components.report.model_card import CARD_FILES, model_card
from efficientmixnet.components.report.page import CONTENT_FILE
from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.stored_file import made_again, read_json
from efficientmixnet.pipeline.local.revision import revision, versions


@tfx.dsl.components.component
def ModelCard(
    report: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.InferenceResult],
    pushed_model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.PushedModel],
    card: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
) -> None:
    """Writes the card into an artifact and into the pushed model's folder.

    A card that is already in the folder is not overwritten, since somebody may have edited it.

    Args:
        report: The run's report.
        pushed_model: The pushed model.
        card: The card as Markdown.
    """
    folder = pushed_model.get_string_custom_property("pushed_destination")
    if not folder:
        card.write("the model was not pushed, so it has no card")
        return
    content = read_json(Path(report.uri, CONTENT_FILE), made_again(to_uri(report.uri)))
    run = {"started": datetime.now(timezone.utc).isoformat(), "revision": revision(), "versions": versions()}
    texts = model_card(content, run, folder.rpartition("/")[2])
    card.write(texts[0])
    there = {file.name for file in object_store.files(folder)}
    for name, text in zip(CARD_FILES, texts, strict=True):
        if name not in there:
            object_store.write_text(f"{folder}/{name}", text)
