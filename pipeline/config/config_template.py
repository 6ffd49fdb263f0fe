"""The configuration file that `efficientmixnet init` writes: every key and its default as a comment."""

import textwrap
from collections.abc import Iterator

import yaml
from pydantic import BaseModel

from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.data_config import DataConfig

_WIDTH = 118
# In the order of the data's path.
_SECTIONS = ("data", "network", "training", "search", "evaluation", "serving", "report", "beam", "kubeflow")


def config_template() -> str:
    """Returns a YAML file with every key, its meaning and its default.

    The keys are comments, because a recipe or a budget chooses only what a file does not set.
    """
    config = Config()
    lines = [
        "# The configuration of a run: `efficientmixnet run THIS_FILE`.",
        "# To change a key, remove the # before it.",
        "",
    ]
    lines += _entries(config, "")
    for section in _SECTIONS:
        lines += ["", f"{section}:", *_entries(getattr(config, section), "  ")]
    return "\n".join(lines) + "\n"


def _entries(section: BaseModel, indent: str) -> Iterator[str]:
    values = section.model_dump(mode="json")
    inner = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            # Subsections go last: keys after them would look like keys of the subsection.
            inner += [f"{indent}{name}:", *_entries(value, indent + "  ")] if name not in _SECTIONS else []
            continue
        description = " ".join((field.description or "").split())
        yield from textwrap.wrap(description, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
        plain = yaml.safe_dump(values[name], default_flow_style=True, sort_keys=False, width=_WIDTH)
        every_user_sets_it = isinstance(section, DataConfig) and name == "images"
        # Without a space behind it, removing the # leaves the indent of the section.
        mark = "" if every_user_sets_it else "#"
        yield f"{indent}{mark}{name}: {plain.removesuffix(chr(10)).removesuffix('...').strip()}"
    yield from inner
