"""repeated_run: the last run, if another one would only repeat it. It needs neither TensorFlow nor TFX.

A run remembers what it depends on, and the sizes of the files that it has written or read, in a hidden file of the
output folder. In doubt there is no repeated run: TFX then decides which results it takes from the cache.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from efficientmixnet.components.image_example_gen.sources import Sources
from efficientmixnet.components.pushed_folder import sizes
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.local.revision import code_digest, revision, versions
from efficientmixnet.pipeline.runs.metadata import latest_ids
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.runs import read_summary

_FILE = ".last_run.json"
_ENDED = ("pushed", "not_blessed")


def repeated_run(config: Config, sources: Sources) -> Summary | None:
    """Returns the summary of the last run if nothing has changed since. None: the pipeline must run.

    Args:
        config: The complete configuration.
        sources: The images.
    """
    output = Path(config.output)
    with suppress(sqlite3.Error, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, BadInput):
        known = json.loads((output / _FILE).read_text(encoding="utf-8"))
        summary = read_summary(str(output / "runs" / Path(known["run"]).name))
        if (
            _has_fixed_inputs(config)
            and summary.state in _ENDED
            and known["depends_on"] == _depends_on(config, sources)
            and known["metadata"] == latest_ids(output)
            and all(sizes(output / folder) == files for folder, files in known["folders"].items())
            and all(Path(summary.run, name).is_file() for name in known["files"])
        ):
            return summary
    return None


def remember_run(config: Config, sources: Sources, summary: Summary, folders: Iterable[str]) -> None:
    """Remembers a run that has ended, for `repeated_run`.

    Args:
        config: The complete configuration.
        sources: The images.
        summary: The summary of the run.
        folders: The folders of the artifacts that the run has read and written.
    """
    if summary.state not in _ENDED or not _has_fixed_inputs(config):
        return
    output = Path(config.output)
    inside = {*folders, *([summary.pushed_model] if summary.pushed_model else [])}
    known = {
        "run": Path(summary.run).name,
        "depends_on": _depends_on(config, sources),
        "metadata": latest_ids(output),
        "folders": {str(Path(folder).relative_to(output)): sizes(Path(folder)) for folder in sorted(inside)},
        "files": sorted(path.name for path in Path(summary.run).iterdir()),
    }
    write_text(output / _FILE, json.dumps(known))


def forget_run(output: Path) -> None:
    """Forgets the last run, because another one starts."""
    (output / _FILE).unlink(missing_ok=True)


def _has_fixed_inputs(config: Config) -> bool:
    """Whether the run reads only what `_depends_on` knows, and no results of the runs before it but the baseline."""
    data = config.data
    reads_others = data.drift or data.training_spans != 1 or config.network.weights == "latest"
    return not (reads_others or data.schema_file or data.served)


def _depends_on(config: Config, sources: Sources) -> str:
    """A digest of the configuration, the images, the code and the packages."""
    weights = config.network.weights
    facts: dict[str, Any] = {
        "config": config.model_dump(mode="json", exclude={"output"}),
        "images": sources.fingerprint,
        "left_out": sorted(item.row() for item in sources.left_out),
        "skipped": dict(sources.skipped),
        "weights": _listed(Path(weights)) if weights and Path(weights).is_absolute() else None,
        "versions": versions(),
        "revision": revision(),
        "code": code_digest(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _listed(path: Path) -> Any:
    """The size and the time of the last change of a file, or of the files of a folder."""
    if path.is_dir():
        return [[str(file.relative_to(path)), *_listed(file)] for file in sorted(path.rglob("*")) if file.is_file()]
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
