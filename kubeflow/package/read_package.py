"""read_package: reads the file that `efficientmixnet kubeflow compile` wrote."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from efficientmixnet.modules.config.yaml_text import read_yaml
from efficientmixnet.modules.exceptions import BadInput

_Named = dict[str, dict[str, Any]]


class _Inputs(BaseModel):
    parameters: _Named = {}


class _Tasks(BaseModel):
    tasks: _Named


class _Root(BaseModel):
    dag: _Tasks | None = None
    inputDefinitions: _Inputs = _Inputs()


class _Deployment(BaseModel):
    executors: _Named


class _Package(BaseModel):
    """The parts of a PipelineSpec that every command needs."""

    pipelineInfo: dict[str, Any]
    root: _Root
    deploymentSpec: _Deployment
    components: _Named


def read_package(file: Path) -> list[dict[str, Any]]:
    """Returns the package's documents: the PipelineSpec, and the platform document if there is one.

    Raises:
        BadInput: The file cannot be read or is not a package.
    """
    documents = [one for one in read_yaml(file, "`efficientmixnet kubeflow compile` writes a package") if one]
    try:
        _Package.model_validate(documents[0] if documents else {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(
            f"{file}: is not a package ({where}: {first['msg'].lower()}); `efficientmixnet kubeflow compile CONFIG -o "
            f"{file}` writes one"
        ) from None
    return documents
