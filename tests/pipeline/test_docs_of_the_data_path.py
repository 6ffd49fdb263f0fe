"""Tests that the configurations in the documentation of data and Beam runners are valid."""

import re
from pathlib import Path

import pytest
import yaml

from efficientmixnet.pipeline.config.config import Config

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    (page, block)
    for page in ("data.md", "beam-runners.md")
    for block in re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
]


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
