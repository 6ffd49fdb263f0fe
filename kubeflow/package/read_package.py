"""read_package: reads the file that `efficientmixnet kubeflow compile` wrote."""

from pathlib import Path
from typing import Any

from efficientmixnet.modules.config.yaml_text import read_yaml
from efficientmixnet.modules.exceptions import BadInput


def read_package(file: Path) -> list[dict[str, Any]]:
    """Returns the package's documents: the PipelineSpec, and the platform document if there is one.

    Raises:
        BadInput: The file cannot be read or is not a package.
    """
    documents = [one for one in read_yaml(file, "`efficientmixnet kubeflow compile` writes a package") if one]
    if not documents or not isinstance(documents[0], dict) or "pipelineInfo" not in documents[0]:
        raise BadInput(f"{file}: is not a package; `efficientmixnet kubeflow compile CONFIG -o {file}` writes one")
    return documents
