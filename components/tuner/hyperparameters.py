"""found_in: reads the best hyperparameters from the Tuner's artifact."""

import json
from typing import Any

from efficientmixnet.modules.config.search_config import found_values

FILE = "best_hyperparameters.txt"  # TFX's name


def found_in(uri: str) -> dict[str, Any]:
    """Returns the best trial's values by key of the configuration.

    Args:
        uri: The folder of the artifact.
    """
    from tfx import v1 as tfx  # takes seconds to import

    with tfx.dsl.io.fileio.open(f"{uri}/{FILE}") as file:
        return found_values(json.load(file)["values"])
