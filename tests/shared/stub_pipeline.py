"""Parts of tests of local runs in which a stub replaces the pipeline: its type, and the summaries that runs write."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from efficientmixnet.pipeline.config.config import Config

Pipeline = Callable[[Callable[[], None]], None]


def summaries(config: Config) -> list[dict[str, Any]]:
    """The summary in the output folder, and the summary of each run."""
    output = Path(config.output)
    files = [output / "summary.json", *sorted(output.glob("runs/*/summary.json"))]
    return [json.loads(file.read_text()) for file in files]
