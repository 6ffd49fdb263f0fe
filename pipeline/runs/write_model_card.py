"""write_model_card: writes the model card of a pushed model at the end of the run."""

from pathlib import Path

from efficientmixnet.modules.whole_file import write_text
from efficientmixnet.pipeline.runs.run_report import read_content
from efficientmixnet.pipeline.runs.run_summary import Summary


def write_model_card(summary: Summary) -> None:
    """Writes MODEL_CARD.md and model_card.html to the folder of the pushed model, unless they exist."""
    from efficientmixnet.components.report.model_card import CARD_FILES, model_card

    content = read_content(summary) if summary.pushed_model else None
    if content is None or summary.pushed_model is None:
        return
    folder = Path(summary.pushed_model)
    for name, text in zip(CARD_FILES, model_card(content, summary.model_dump(), folder.name), strict=True):
        if folder.is_dir() and not (folder / name).exists():
            write_text(folder / name, text)
