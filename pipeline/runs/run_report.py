"""write_report: renders the report of a run from the data that the component Report gathered."""

from pathlib import Path
from typing import Any

from efficientmixnet.modules.files.stored_file import damage_named, made_again, missing, read_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.runs.moved_output import artifact_at
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.write_relabel_list import write_relabel_list

_INSPECTION = "inspection.html"  # in the run's folder


def write_report(summary: Summary) -> Path | None:
    """Writes the report and the relabel list to the run's folder, and returns the report's path.

    Returns None if the run ended before Report. A relabel list that was changed stays as it is.

    Raises:
        BadInput: The data of the report is damaged.
    """
    import jinja2

    from efficientmixnet.components.report.page import CONTENT_FILE, PAGE_FILE, render
    from efficientmixnet.components.report.relabel import RELABEL_FILE, as_csv

    content = read_content(summary)
    if content is None:
        return None
    file = Path(str(summary.evaluated), CONTENT_FILE)
    with damage_named(file, made_again(file.parent), jinja2.TemplateError):
        if summary.blessed is not None:  # TensorFlow Serving can refuse a model that the evaluation has blessed.
            content["verdict"] |= {"blessed": summary.blessed, "reason": summary.reason}
        inspection = _INSPECTION if Path(summary.run, _INSPECTION).is_file() else None
        text = render(content, summary.model_dump(), inspection)
        relabel = as_csv(content["relabel"]) if "relabel" in content else None
    page = Path(summary.run, PAGE_FILE)
    write_text(page, text)
    if relabel is not None:  # A run of an earlier version has no list.
        write_relabel_list(page.with_name(RELABEL_FILE), relabel)
    return page


def why_no_report(summary: Summary) -> str:
    """Returns the reason why `read_content` found no data, for an error."""
    from efficientmixnet.components.report.page import CONTENT_FILE

    if summary.evaluated:
        return missing(Path(summary.evaluated, CONTENT_FILE))
    return f"{summary.run}: the run has not evaluated a model ({summary.state}: {summary.reason}); give another run"


def read_content(summary: Summary) -> dict[str, Any] | None:
    """Returns the data that the component Report gathered, or None if there is none.

    Raises:
        BadInput: The data is damaged.
    """
    from efficientmixnet.components.report.page import CONTENT_FILE

    file = Path(summary.evaluated or "", CONTENT_FILE)
    if not summary.evaluated or not file.is_file():
        return None
    content = read_json(file, made_again(file.parent), "config", "curves", "metrics", "verdict")
    if isinstance(content.get("evaluation"), str):
        content["evaluation"] = artifact_at(content["evaluation"], Path(summary.run).parent.parent)
    return content
