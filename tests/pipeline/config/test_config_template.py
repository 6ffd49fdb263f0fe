"""Tests of the configuration file that `efficientmixnet init` writes."""

from pathlib import Path

import yaml
from pydantic import BaseModel

from efficientmixnet.pipeline.config.config import Config, load_config
from efficientmixnet.pipeline.config.config_template import config_template


def _keys(section: BaseModel, prefix: str = "") -> set[str]:
    keys = set()
    for name in type(section).model_fields:
        value = getattr(section, name)
        keys |= _keys(value, f"{prefix}{name}.") if isinstance(value, BaseModel) else {prefix + name}
    return keys


def _keys_and_comments(text: str) -> dict[str, str]:
    """The comment above each key that has a value."""
    found: dict[str, str] = {}
    path: list[str] = []
    comment = ""
    for line in text.splitlines():
        depth, content = (len(line) - len(line.lstrip())) // 2, line.strip()
        if content.startswith("#"):
            comment += content.removeprefix("#")
            continue
        if content:
            key, _, value = content.partition(":")
            path = [*path[:depth], key]
            if value:
                assert ".".join(path) not in found, f"{'.'.join(path)} appears twice"
                found[".".join(path)] = comment.strip()
        comment = ""
    return found


def test_loading_the_file_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(config_template())
    expected = Config().model_copy(update={"output": str(tmp_path / "runs")})
    data = expected.data.model_copy(update={"images": str(tmp_path / "images")})
    assert load_config(str(file)) == expected.model_copy(update={"data": data})


def test_the_values_are_the_defaults() -> None:
    assert Config.model_validate(yaml.safe_load(config_template())) == Config()


def test_every_key_appears_once_with_a_comment() -> None:
    found = _keys_and_comments(config_template())
    assert set(found) == _keys(Config())
    assert {key for key, comment in found.items() if len(comment) < 5} == set()


def test_no_line_has_more_than_120_characters() -> None:
    assert max(len(line) for line in config_template().splitlines()) <= 120
