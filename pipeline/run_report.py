"""A run's page: the report that the pipeline left, with what is known of the run once it has ended."""

import json
from pathlib import Path

from pydantic import ValidationError

from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.pipeline.summary import SUMMARY_FILE, Summary


def write_report(summary: Summary) -> Path | None:
    """Writes the page into the run's folder; None where the run ended before there was anything to write."""
    from efficientmixnet.components.report.page import CONTENT_FILE, PAGE_FILE, render

    content = Path(summary.evaluated or "", CONTENT_FILE)
    if not summary.evaluated or not content.is_file():
        return None
    page = Path(summary.run, PAGE_FILE)
    page.write_text(render(json.loads(content.read_text(encoding="utf-8")), summary.model_dump()), encoding="utf-8")
    return page


def read_summary(run: str) -> Summary:
    """The summary of a run's folder, or of the last run in an output folder.

    Raises:
        BadInput: there is none.
    """
    file = Path(run, SUMMARY_FILE)
    try:
        return Summary.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError:
        raise BadInput(f"{run}: holds no {SUMMARY_FILE}; name a run's folder, or the output folder of runs") from None
    except ValidationError as error:
        raise BadInput(f"{file}: is no summary of a run ({error.errors()[0]['msg']})") from None
