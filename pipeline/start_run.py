"""run: runs the pipeline from Python. The command `efficientmixnet run` calls it too."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.api_path import api_path
from efficientmixnet.pipeline.config.config import load_config
from efficientmixnet.pipeline.runs.run_summary import Summary


@dataclass(frozen=True)
class Run:
    """A run that has evaluated its model.

    Args:
        summary: The content of summary.json.
    """

    summary: Summary

    @property
    def blessed(self) -> bool:
        """Whether the model reached all thresholds, and was pushed."""
        return bool(self.summary.blessed)

    @property
    def reason(self) -> str:
        """Why the model was blessed or not."""
        return self.summary.reason

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics on the evaluation split, by name."""
        return dict(self.summary.metrics)

    @property
    def pushed_model(self) -> Path | None:
        """The folder of the pushed model; None if the model was not blessed."""
        return Path(self.summary.pushed_model) if self.summary.pushed_model else None

    @property
    def report(self) -> Path | None:
        """The HTML report."""
        return Path(self.summary.report) if self.summary.report else None

    @property
    def folder(self) -> Path:
        """The folder of the run, with its configuration, log and summary."""
        return Path(self.summary.run)


def run(
    images: str | PathLike[str] | None = None,
    output: str | PathLike[str] | None = None,
    config: str | PathLike[str] | None = None,
    *,
    overrides: str | Iterable[str] = (),
    verbose: bool = False,
    use_cache: bool = True,
    live: bool = False,
    **sections: Mapping[str, Any],
) -> Run:
    """Trains, evaluates and pushes a model.

    A run with the same images and configuration as the last one returns its result. Of a changed one, only the
    components whose inputs have changed run again.

    Args:
        images: The images, such as a folder with one subfolder for each class. It replaces data.images.
        output: The output folder for runs and pushed models. None: that of the configuration, or `runs`.
        config: A configuration file. None: the defaults.
        overrides: A single key of the configuration, such as "training.epochs=20", or several of them.
        verbose: Whether the log messages of the libraries are printed too.
        use_cache: Whether results of earlier runs are used.
        live: Whether TensorBoard is served on this machine's loopback address during the run.
        **sections: Sections of the configuration, such as training={"epochs": 20}. Paths in them can be path objects.

    Returns:
        The run. Its model may not be blessed, see `Run.blessed`.

    Raises:
        BadInput: The configuration or the images cannot be used.
        RunFailed: A component failed. The message names the log.

    Example:
        >>> run = efficientmixnet.run(images="photos", output="runs", training={"epochs": 20})
        >>> run.metrics["accuracy"]
        0.9887
    """
    given = {"images": images, "output": output, "config": config}
    paths = {name: api_path(name, path) for name, path in given.items() if path is not None}
    keys: list[Any] = [overrides]
    if isinstance(overrides, Iterable) and not isinstance(overrides, str):
        keys = list(overrides)
    for key in keys:
        if not isinstance(key, str):
            raise BadInput(f"overrides: {key!r} is not text; give keys such as 'training.epochs=20'")
    if not paths.get("images") and not paths.get("config") and "data" not in sections:
        raise BadInput("nothing to run; give images or a configuration")
    checked = load_config(
        paths.get("config"),
        keys,
        paths.get("images"),
        paths.get("output"),
        sections,
    )
    announce(f"listing the images of {checked.data.manifest or checked.data.images}")
    use_tensorflow()
    with _no_arguments():
        from efficientmixnet.pipeline.local.local_runner import run as run_locally

        return Run(run_locally(checked, verbose=verbose, use_cache=use_cache, live=live))


@contextmanager
def _no_arguments() -> Iterator[None]:
    """Hides the arguments of the user's program, because libraries parse sys.argv too."""
    arguments, sys.argv[1:] = sys.argv[1:], []
    try:
        yield
    finally:
        sys.argv[1:] = arguments
