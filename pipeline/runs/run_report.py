"""write_report: renders the report of a run from the data that the component Report gathered."""

import json
from pathlib import Path
from typing import Any

from efficientmixnet.modules.whole_file import write_text
from efficientmixnet.pipeline.runs.run_summary import Summary


def write_report(summary: Summary) -> Path | None:
    """Writes the report to the run's folder, and returns its path. None if the run ended before Report."""
    from efficientmixnet.components.report.page import PAGE_FILE, render

    content = read_content(summary)
    if content is None:
        return None
    if summary.blessed is not None:  # TensorFlow Serving can refuse a model that the evaluation has blessed.
        content["verdict"] |= {"blessed": summary.blessed, "reason": summary.reason}
    page = Path(summary.run, PAGE_FILE)
    write_text(page, render(content, summary.model_dump()))
    return page


def read_content(summary: Summary) -> dict[str, Any] | None:
    """Returns the data that the component Report gathered, or None if there is none."""
    from efficientmixnet.components.report.page import CONTENT_FILE

    file = Path(summary.evaluated or "", CONTENT_FILE)
    if not summary.evaluated or not file.is_file():
        return None
    return json.loads(file.read_text(encoding="utf-8"))
