"""found_in: what a search has found, as its artifact has it."""

import json
from typing import Any

from efficientmixnet.modules.config.search_config import found_values

FILE = "best_hyperparameters.txt"  # TFX's name


def found_in(uri: str) -> dict[str, Any]:
    """By key of the configuration the value that the best trial had."""
    from tfx import v1 as tfx  # which takes seconds to import

    with tfx.dsl.io.fileio.open(f"{uri}/{FILE}") as file:
        return found_values(json.load(file)["values"])
