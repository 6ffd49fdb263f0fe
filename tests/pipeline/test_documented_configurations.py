"""Tests that the keys and the example configurations in the documentation are valid."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from efficientmixnet.pipeline.config.config import Config

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    (page, block)
    for page in ("data.md", "beam-runners.md")
    for block in re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
]
KEYS = [
    (page.name, key)
    for page in sorted(DOCS.glob("*.md"))
    for key in sorted(set(re.findall(r"`([a-z]+(?:\.[a-z_]+)+)", page.read_text(encoding="utf-8"))))
    if key.partition(".")[0] in Config.model_fields and not key.endswith((".html", ".io", ".json", ".md", ".py"))
]


@pytest.mark.parametrize(("page", "key"), KEYS)
def test_a_key_in_the_documentation_exists(page: str, key: str) -> None:
    section: object = Config()
    for name in key.split("."):
        if isinstance(section, dict):
            return  # such as evaluation.thresholds.accuracy
        assert isinstance(section, BaseModel)
        field = type(section).model_fields[name]
        section = getattr(section, name)
        if section is None:
            section = _optional_section(field.annotation)


def _optional_section(annotation: object) -> object:
    found = [kind for kind in getattr(annotation, "__args__", ()) if isinstance(kind, type)]
    return next((kind.model_construct() for kind in found if issubclass(kind, BaseModel)), None)


@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_an_example_is_a_valid_configuration(page: str, block: str) -> None:
    values = yaml.safe_load(block)
    read = Config.model_validate(values).model_dump(mode="json")
    for section, keys in values.items():
        for key, value in keys.items():
            if key != "layout":
                assert read[section][key] == value


def test_every_runner_has_an_example() -> None:
    runners = {yaml.safe_load(block).get("beam", {}).get("runner") for _, block in EXAMPLES}
    assert {"portable", "flink", "spark", "dataflow"} <= runners
