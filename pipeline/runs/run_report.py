"""A run's page: the report that the pipeline left, with what is known of the run once it has ended."""

import json
from pathlib import Path
from typing import Any

from efficientmixnet.pipeline.runs.run_summary import Summary


def write_report(summary: Summary) -> Path | None:
    """Writes the page into the run's folder; None where the run ended before there was anything to write."""
    from efficientmixnet.components.report.page import PAGE_FILE, render

    content = read_content(summary)
    if content is None:
        return None
    if summary.blessed is not None:  # a model server may have refused what the evaluation had blessed
        content["verdict"] |= {"blessed": summary.blessed, "reason": summary.reason}
    page = Path(summary.run, PAGE_FILE)
    page.write_text(render(content, summary.model_dump()), encoding="utf-8")
    return page


def read_content(summary: Summary) -> dict[str, Any] | None:
    """What the component Report gathered; None where the run left nothing, or it is gone."""
    from efficientmixnet.components.report.page import CONTENT_FILE

    file = Path(summary.evaluated or "", CONTENT_FILE)
    if not summary.evaluated or not file.is_file():
        return None
    return json.loads(file.read_text(encoding="utf-8"))
