"""The configuration of a run: a YAML file that is checked before anything runs."""

import glob
import json
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError, model_validator

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.names import PipelineName
from efficientmixnet.modules.config.search_config import SearchConfig
from efficientmixnet.modules.config.section import PathText, merge
from efficientmixnet.modules.config.yaml_text import YamlMistake, parse_yaml, read_yaml
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.text.character_to_refuse import character_to_refuse
from efficientmixnet.modules.text.secrets import MASK, is_secret_name
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.config.config_errors import problem_line, problems, problems_found, reasons, shortened
from efficientmixnet.pipeline.config.data_config import DataConfig
from efficientmixnet.pipeline.config.evaluation_config import EvaluationConfig
from efficientmixnet.pipeline.config.kubeflow_config import KubeflowConfig
from efficientmixnet.pipeline.config.report_config import ReportConfig
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret, secrets_in
from efficientmixnet.pipeline.config.serving_config import ServingConfig

_DEEPEST_KEY = 20  # parts
_LONGEST_LINE = 500  # characters of a problem


class Config(ModelConfig):
    """All settings of a run."""

    name: PipelineName = "efficientmixnet"
    """The name of the pipeline: lower-case letters, digits and hyphens."""
    output: PathText = "runs"
    """The folder for runs, artifacts and pushed models. Only one run at a time can use it."""
    data: DataConfig = DataConfig()
    search: SearchConfig = SearchConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    serving: ServingConfig = ServingConfig()
    report: ReportConfig = ReportConfig()
    beam: BeamConfig = BeamConfig()
    kubeflow: KubeflowConfig = KubeflowConfig()

    @model_validator(mode="before")
    @classmethod
    def _empty_sections_are_defaults(cls, values: Any) -> Any:
        return _with_empty_sections(cls, values)

    @model_validator(mode="after")
    def _searched_values_are_allowed(self) -> "Config":
        problems = [
            f"search.{key}: {json.dumps(value)}: {reasons(why, key, Config)}"
            for key, value, why in self.search.misfits(self)
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _a_budget_is_for_one_training(self) -> "Config":
        if self.training.budget is not None and self.search.space:
            raise ValueError("training.budget: cannot be combined with search.space; set training.epochs")
        return self

    @model_validator(mode="after")
    def _secrets_are_given_by_reference(self) -> "Config":
        if problems := list(secrets_in(self.model_dump())):
            raise ValueError("\n".join(problems))
        return self

    @property
    def model(self) -> dict[str, Any]:
        """The sections network and training, for Trainer's custom_config."""
        return self.model_dump(mode="json", include={"network", "training"})


def load_config(
    file: str | None,
    overrides: Iterable[str] = (),
    data: str | None = None,
    output: str | None = None,
    sections: Mapping[str, Any] | None = None,
) -> Config:
    """Reads and checks a configuration.

    Args:
        file: A YAML file. None gives the defaults.
        overrides: Each is `section.key=value`, with the value in YAML.
        data: Replaces data.images. A relative path starts at the current folder.
        output: Replaces output. A relative path starts at the current folder.
        sections: Sections that are merged into those of the file, before the overrides.

    Returns:
        The configuration with absolute paths.

    Raises:
        BadInput: The configuration has problems. The message lists all of them, each with its key.

    Example:
        >>> load_config(None, ["training.epochs=20"], data="photos").training.epochs
        20
    """
    refuse_secret("--data", data)
    refuse_secret("--output", output)
    for key, value in (("data.images", data), ("output", output)):
        if value == "":
            raise BadInput(f"{key}: is empty; give a folder")
    values = _read(Path(file)) if file else {}
    values = merge(values, dict(sections or {}))
    for override in overrides:
        values = merge(values, _nested(override))
    here = Path(file).resolve().parent if file else Path.cwd()
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        lines = [
            shortened(line, _LONGEST_LINE)
            for one in problems(error, Config)
            for line in problem_line(one, Config).splitlines()
        ]
        raise BadInput("\n  ".join([f"{file or 'configuration'}: {problems_found(len(lines))}", *lines])) from None
    except ValueError as error:
        raise BadInput(f"{file or 'configuration'}: {error}") from None
    return _with_paths(config, here, data, output)


def _with_empty_sections(section: type[BaseModel], values: Any) -> Any:
    """Replaces null by {} for each section. YAML reads a section whose keys are all commented out as null.

    A section that is null by default, such as kubeflow.trainer, stays null.
    """
    if values is None:
        return {}
    if not isinstance(values, dict):
        return values
    fields = section.model_fields.items()
    sections = {name: type(field.default) for name, field in fields if isinstance(field.default, BaseModel)}
    return {
        key: _with_empty_sections(sections[key], value) if key in sections else value for key, value in values.items()
    }


def _read(file: Path) -> dict[str, Any]:
    documents = read_yaml(file, f"run `efficientmixnet init {shlex.quote(str(file))}` to create it")
    values = documents[0] if documents else None
    if len(documents) > 1 or not isinstance(values or {}, dict):
        raise BadInput(f"{file}: has no sections; `efficientmixnet init example.yaml` writes an example")
    return values or {}


def _nested(override: str) -> dict[str, Any]:
    """`a.b=1` -> {"a": {"b": 1}}"""
    key, equals, value = override.partition("=")
    parts = key.split(".")
    if not equals or not all(parts) or len(parts) > _DEEPEST_KEY:
        raise BadInput(f"--set {shortened(override)}: give section.key=value, such as training.epochs=20")
    try:
        nested: Any = parse_yaml(value)
    except YamlMistake as mistake:
        if is_secret_name(key):
            raise BadInput(f"--set {key}={MASK} is not valid YAML") from None
        raise BadInput(f"--set {shortened(override)}: {mistake.reason}") from None
    for part in reversed(parts):
        nested = {part: nested}
    return nested


def _with_paths(config: Config, here: Path, data: str | None, output: str | None) -> Config:
    """The configuration with absolute paths."""

    def absolute(path: str) -> str:
        if "://" in path:  # in an object store
            return path
        try:
            return os.path.normpath(here / Path(path).expanduser())
        except RuntimeError:
            raise BadInput(f"{path}: there is no such user; give a path without ~") from None

    images = (data if "://" in data else os.path.abspath(data)) if data else absolute(config.data.images)
    layout = config.data.layout
    label_names = layout.label_names and absolute(layout.label_names)
    changed = {
        "images": images,
        "manifest": config.data.manifest and absolute(config.data.manifest),
        "corrections": config.data.corrections and absolute(config.data.corrections),
        "schema_file": config.data.schema_file and absolute(config.data.schema_file),
        "served": config.data.served and absolute(config.data.served),
        "layout": layout.model_copy(update={"label_names": label_names}),
    }
    runs = (output if "://" in output else os.path.abspath(output)) if output else absolute(config.output)
    if glob.escape(runs) != runs:
        raise BadInput(f"output: {runs} contains one of * ? [, which TFX reads as a pattern; give another folder")
    weights = config.network.weights
    if weights and "://" in weights:
        raise BadInput(f"network.weights: {weights} is in an object store; copy it to a folder, and give its path")
    if weights not in (None, "imagenet", "latest"):
        weights = absolute(weights)
    given: dict[str, str | None] = {f"data.{key}": path for key, path in changed.items() if isinstance(path, str)}
    given |= {"data.layout.label_names": label_names, "network.weights": weights, "output": runs}
    for key, path in given.items():
        if path and (character := character_to_refuse(path)):
            raise BadInput(f"{key}: {path!a} has a character that is not text ({character}); rename it")
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=changed),
            "network": config.network.model_copy(update={"weights": weights}),
            "output": runs,
        }
    )
