"""found_in: reads the best hyperparameters from the Tuner's artifact."""

from typing import Any

from efficientmixnet.modules.config.search_config import found_values
from efficientmixnet.modules.files.stored_file import damage_named, made_again, read_json

FILE = "best_hyperparameters.txt"  # TFX's name


def found_in(uri: str) -> dict[str, Any]:
    """Returns the best trial's values by key of the configuration.

    Args:
        uri: The folder of the artifact.

    Raises:
        BadInput: The file is damaged.
    """
    file = f"{uri}/{FILE}"
    with damage_named(file, made_again(uri)):
        return found_values(read_json(file, made_again(uri), "values")["values"])
