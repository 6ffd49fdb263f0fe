"""import_tensorflow: imports TensorFlow in half the time, for commands that only call a SavedModel."""

import os
import sys
import warnings

from efficientmixnet.pipeline.local.imports_at_once import imports_at_once
from efficientmixnet.pipeline.scoring.quiet_load import quiet_load

# TensorFlow imports these, if they are installed, for what a SavedModel does not use: to convert models of Keras and
# JAX, to find machines of Google's cloud, and for the input formats of its first Keras.
_NOT_USED = ("googleapiclient", "jax", "keras", "pandas", "scipy")


def import_tensorflow() -> None:
    """Imports TensorFlow alone. Other packages can be imported afterwards.

    It is for a process of our own: TensorFlow's converters find no Keras and no JAX in it.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for what TensorFlow prints later
    hidden = [name for name in _NOT_USED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import fail
    try:
        with imports_at_once(), quiet_load(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Google's packages warn about Python versions.
            import tensorflow  # noqa: F401
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
