"""write_model_card: writes the model card of a pushed model at the end of the run."""

from pathlib import Path

from efficientmixnet.modules.files.stored_file import damage_named, made_again
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.runs.run_report import read_content
from efficientmixnet.pipeline.runs.run_summary import Summary


def write_model_card(summary: Summary) -> None:
    """Writes MODEL_CARD.md and model_card.html to the folder of the pushed model, unless they exist."""
    import jinja2

    from efficientmixnet.components.report.model_card import CARD_FILES, model_card
    from efficientmixnet.components.report.page import CONTENT_FILE

    content = read_content(summary) if summary.pushed_model else None
    if content is None or summary.pushed_model is None:
        return
    folder, evaluated = Path(summary.pushed_model), str(summary.evaluated)
    with damage_named(f"{evaluated}/{CONTENT_FILE}", made_again(evaluated), jinja2.TemplateError):
        texts = model_card(content, summary.model_dump(), folder.name)
    for name, text in zip(CARD_FILES, texts, strict=True):
        if folder.is_dir() and not (folder / name).exists():
            write_text(folder / name, text)
