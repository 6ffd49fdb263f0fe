"""EfficientMixNet: from a folder of images to a trained, evaluated and pushed image classifier.

    import efficientmixnet

    run = efficientmixnet.run(images="photos", output="runs", training={"epochs": 20})
    if run.blessed:
        model = efficientmixnet.load(run.pushed_model)
        model.predict(["photo.jpg"], top_k=3)

It imports neither Keras nor TensorFlow until a name is used. setup.py installs this file as __init__.py of the
package efficientmixnet.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from efficientmixnet.modules.failures.missing_package import missing_package

if TYPE_CHECKING:
    from efficientmixnet.pipeline.scoring.model import Model, load
    from efficientmixnet.pipeline.start_run import Run, run

    __version__: str

_FILES = {"Model": "scoring.model", "load": "scoring.model", "Run": "start_run", "run": "start_run"}

__all__ = ["Model", "Run", "__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("efficientmixnet")
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"efficientmixnet.pipeline.{_FILES[name]}"), name)
    except ModuleNotFoundError as error:
        raise missing_package(error) from error


def __dir__() -> list[str]:
    return sorted(__all__)
