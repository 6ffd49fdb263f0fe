"""read_package: reads the file that `efficientmixnet kubeflow compile` wrote."""

from pathlib import Path
from typing import Any

import yaml

from efficientmixnet.modules.exceptions import BadInput


def read_package(file: Path) -> list[dict[str, Any]]:
    """Returns the package's documents: the PipelineSpec, and the platform document if there is one.

    Raises:
        BadInput: The file cannot be read or is not a package.
    """
    try:
        documents = [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]
    except OSError as error:
        raise BadInput(
            f"{file}: cannot be read: {error.strerror}; `efficientmixnet kubeflow compile` writes a package"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    if not documents or not isinstance(documents[0], dict) or "pipelineInfo" not in documents[0]:
        raise BadInput(f"{file}: is not a package; `efficientmixnet kubeflow compile CONFIG -o {file}` writes one")
    return documents
