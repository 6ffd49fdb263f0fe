"""damaged_model_named: one line for a folder that is no pushed model."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import reason
from efficientmixnet.pipeline.scoring.quiet_load import quiet_load


@contextmanager
def damaged_model_named(folder: Path) -> Iterator[None]:
    """Turns an error in the body, which loads the model, into BadInput. A full memory stays one.

    Args:
        folder: The folder of the model.
    """
    import tensorflow as tf

    try:
        with quiet_load():
            yield
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:  # TensorFlow raises many kinds, some of them without a message
        raise BadInput(
            f"{folder}: is damaged, or is not a model that a run has pushed ({reason(error)}); give another folder"
        ) from error
