"""The configuration: one file describes a run, and is checked before anything runs."""

import difflib
import glob
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.spans import has_spans
from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.search_config import SearchConfig
from efficientmixnet.modules.training_config import Fraction, ModelConfig, Section, merge
from efficientmixnet.pipeline.beam_config import BeamConfig
from efficientmixnet.pipeline.kubeflow_config import KubeflowConfig
from efficientmixnet.pipeline.report_config import ReportConfig
from efficientmixnet.pipeline.serving_config import ServingConfig

Metric = Literal["accuracy", "top_3", "balanced_accuracy", "macro_f1", "loss", "calibration_error"]
Bound = Annotated[float, Field(ge=0)]


def _as_crossing(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Features = Annotated[tuple[str, ...], BeforeValidator(_as_crossing), Field(min_length=1)]


class DataConfig(Section):
    pictures: str = "pictures"
    """The folder that holds one folder of pictures per class, or of layout's files; gs:// and s3:// work too. Relative
    paths start at this file's folder."""
    manifest: str | None = None
    """A CSV or JSON-lines file with path, label and optionally split of each picture, instead of class folders."""
    splits: dict[str, Annotated[float, Field(gt=0)]] = {"train": 0.8, "eval": 0.2}
    """Each split's share; a picture's split follows from its name alone."""
    max_left_out: Fraction = 0.01
    """The run stops where a larger share of the pictures cannot be read."""
    max_pixels: int = Field(100_000_000, ge=1)
    """A picture with more pixels is left out, not decoded."""
    schema_file: str | None = None
    """A curated schema (schema.pbtxt) that the data must fit; null: inferred from the training split."""
    training_spans: int = Field(1, ge=1)
    """Where pictures has spans: training learns from so many of the latest that runs in this output have read."""
    drift: dict[str, Fraction] = {}
    """By feature, how far its values may have moved since the span before, or without spans the run before: text by the
    largest difference of a share, numbers by Jensen and Shannon's divergence; {image/class/text: 0.1}."""
    served: str | None = None
    """A folder of pictures as they were served, for skew."""
    skew: dict[Literal["image/width", "image/height", "image/format", "image/colorspace"], Fraction] = {}
    """By feature, how far training may be from served, measured as for drift: {image/width: 0.2}."""
    layout: Layout = Layout()

    @model_validator(mode="after")
    def _has_train_and_eval(self) -> "DataConfig":
        missing = {"train", "eval"} - set(self.splits)
        if missing:
            raise ValueError(f"splits: needs {' and '.join(sorted(missing))}, such as {{train: 0.8, eval: 0.2}}")
        if self.training_spans > 1 and not any(map(has_spans, (self.manifest or "", self.pictures))):
            raise ValueError("training_spans: pictures has no spans; name them, such as days/{YYYY}-{MM}-{DD}")
        if self.skew and not self.served:
            raise ValueError("served: skew is measured from served pictures; name their folder")
        unknown = sorted(set(self.layout.split_files) - set(self.splits))
        if unknown:
            raise ValueError(f"layout.split_files: {unknown[0]!r} is none of the splits {', '.join(self.splits)}")
        return self


class EvaluationConfig(Section):
    thresholds: dict[Metric, float] = {}
    """The worst value that is blessed, such as {accuracy: 0.9}; with no accuracy here, always naming the most
    frequent class must be beaten."""
    tolerances: dict[Metric, Bound] = {"accuracy": 0.0}
    """How much worse than the latest blessed model's a metric may be."""
    slices: tuple[Features, ...] = ()
    """Features by whose values pictures are measured apart, beside the label: image/format, a manifest's column, or
    [camera, image/format] for each pair of values."""
    slice_thresholds: dict[Metric, Bound] = {}
    """The worst value that is blessed in each slice, those by label included, such as {accuracy: 0.5}."""
    slice_tolerances: dict[Metric, Bound] = {}
    """How much worse than the latest blessed model's a metric may be in a slice."""
    least_pictures: int = Field(30, ge=1)
    """A slice with fewer pictures is measured, but held to no bound."""
    weight: str | None = None
    """The feature, such as a manifest's column, that says how much each picture counts; null: all the same."""
    intervals: Literal["jackknife", "poisson_bootstrap"] | None = None
    """TFMA's 95 % interval of each metric and slice, in some twenty times the counting; the report has its own."""

    @model_validator(mode="after")
    def _shares_are_shares(self) -> "EvaluationConfig":
        for key in ("thresholds", "slice_thresholds"):
            for metric, value in getattr(self, key).items():
                if metric != "loss" and not 0 <= value <= 1:
                    raise ValueError(f"{key}.{metric}: {value:g} is no share; give one from 0 to 1, such as 0.97")
        if self.weight and "accuracy" not in self.thresholds:
            raise ValueError("weight: what the most frequent class will weigh is not known; give thresholds.accuracy")
        return self


_SECTIONS = frozenset({"data", "network", "training", "search", "evaluation", "serving", "report", "beam", "kubeflow"})


class Config(ModelConfig):
    """Everything a run depends on."""

    name: str = Field("efficientmixnet", pattern=r"^[a-z][a-z0-9-]*$", max_length=63)
    """The pipeline's name: lower-case letters, digits and hyphens."""
    output: str = "runs"
    """The folder for runs, pushed models and everything in between; one run at a time."""
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
        """A section whose keys are all commented out reads as null."""
        return {key: {} if value is None and key in _SECTIONS else value for key, value in values.items()}

    @model_validator(mode="after")
    def _search_tries_what_can_be(self) -> "Config":
        faults = [
            f"search.{key}: {json.dumps(value)}: {_reasons(why, key)}" for key, value, why in self.search.misfits(self)
        ]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def model(self) -> dict[str, Any]:
        """The part that Trainer's custom_config holds."""
        return self.model_dump(mode="json", include={"network", "training"})


def load_config(
    file: str | None, overrides: Iterable[str] = (), data: str | None = None, output: str | None = None
) -> Config:
    """Reads and checks the configuration.

    Args:
        file: A YAML file; None: nothing but the defaults.
        overrides: `section.key=value`, with the value in YAML.
        data: The pictures' folder, instead of the file's; relative to the current folder.
        output: The runs' folder, likewise.

    Raises:
        BadInput: with every mistake, each by its key.
    """
    values = _read(Path(file)) if file else {}
    for override in overrides:
        values = merge(values, _nested(override))
    here = Path(file).resolve().parent if file else Path.cwd()
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        lines = [line for one in error.errors() for line in _line(one).splitlines()]
        raise BadInput("\n  ".join([f"{file or 'configuration'}: {_things(len(lines))} to mend", *lines])) from None
    except ValueError as error:
        raise BadInput(f"{file or 'configuration'}: {error}") from None
    return _with_paths(config, here, data, output)


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{file}: does not exist; `efficientmixnet init {file}` writes one") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values or {}, dict):
        raise BadInput(f"{file}: holds no sections; `efficientmixnet init {file}` writes what is expected")
    return values or {}


def _nested(override: str) -> dict[str, Any]:
    """`a.b=1` -> {"a": {"b": 1}}"""
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise BadInput(f"--set {override}: give section.key=value, such as training.epochs=20")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise BadInput(f"--set {override}: {value!r} is not YAML") from None
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return nested


def _with_paths(config: Config, here: Path, data: str | None, output: str | None) -> Config:
    """The configuration with absolute paths."""

    def absolute(path: str) -> str:
        if "://" in path:  # in an object store
            return path
        return os.path.normpath(here / Path(path).expanduser())

    pictures = (data if "://" in data else os.path.abspath(data)) if data else absolute(config.data.pictures)
    layout = config.data.layout
    label_names = layout.label_names and absolute(layout.label_names)
    changed = {
        "pictures": pictures,
        "manifest": config.data.manifest and absolute(config.data.manifest),
        "schema_file": config.data.schema_file and absolute(config.data.schema_file),
        "served": config.data.served and absolute(config.data.served),
        "layout": layout.model_copy(update={"label_names": label_names}),
    }
    runs = os.path.abspath(output) if output else absolute(config.output)
    if glob.escape(runs) != runs:
        raise BadInput(f"output: {runs} has one of * ? [ in it, which TFX takes for a pattern; give another folder")
    weights = config.network.weights
    if weights not in (None, "imagenet", "latest"):
        weights = absolute(weights)
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=changed),
            "network": config.network.model_copy(update={"weights": weights}),
            "output": runs,
        }
    )


def _things(count: int) -> str:
    return "one thing" if count == 1 else f"{count} things"


def _line(error: Mapping[str, Any]) -> str:
    """One mistake as a line: the key, what is wrong, what would be right."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # of several sections, whose keys the message names
        return message
    *parents, last = (str(part) for part in error["loc"])
    if last == "[key]":  # pydantic's word for a key of a mapping that is not allowed
        *parents, wrong = parents
        if error["type"] == "value_error":
            return f"{'.'.join(parents)}.{wrong}: {message}"
        return f"{'.'.join(parents)}: {wrong!r} is none of {error['ctx']['expected']}"
    key = ".".join([*parents, last])
    match error["type"]:
        case "extra_forbidden":
            close = _nearest(".".join(parents), last)
            return f"{key}: no such key" + (f"; did you mean {close}?" if close else "")
        case "value_error":
            # Checks of several keys name the key themselves, below the section that the location names.
            return message if message.startswith(key) else f"{key}.{message}"
        case "model_type":
            message = "is a section: give it keys, each on a line of its own"
        case "tuple_type":
            message = "give a list"
    message = message.removeprefix("Input ").partition(", unable to parse")[0]
    return f"{key}: {message[0].lower()}{message[1:]}, not {error['input']!r}"


def _reasons(why: ValidationError | str, searched: str) -> str:
    if isinstance(why, str):
        return why
    return "; ".join(_line(one).removeprefix(f"{searched.removeprefix('space.')}: ") for one in why.errors())


def _nearest(parent: str, wrong: str) -> str | None:
    """The key that was probably meant: the same word in another section, or one beside it that looks alike."""
    by_parent: dict[str, dict[str, str]] = {}
    for key in _keys(Config):
        section, _, name = key.rpartition(".")
        by_parent.setdefault(section, {})[name] = key
    for names in by_parent.values():
        if wrong in names:
            return names[wrong]
    beside = by_parent.get(parent, {})
    close = difflib.get_close_matches(wrong, beside, n=1, cutoff=0.5)
    return beside[close[0]] if close else None


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
