"""The settings of Keras in the pipeline. They do not depend on keras.json and KERAS_BACKEND, which are the user's."""

import os
import platform
import sys

from efficientmixnet.modules.exceptions import BadInput

_EPSILON = 1e-7
_X86 = ("x86_64", "AMD64")


def use_tensorflow() -> None:
    """Makes TensorFlow the Keras backend of this process, with its faster kernels for CPUs.

    Training with JAX runs in another process. TensorFlow uses oneDNN by default only on newer processors, such as those
    with AVX-512. On others, small networks train in about two thirds of the time with it.

    Raises:
        BadInput: Keras is already imported, with another backend.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if platform.machine() in _X86:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    keras = sys.modules.get("keras")
    if keras and keras.backend.backend() != "tensorflow":
        raise BadInput(
            f"Keras runs on {keras.backend.backend()} in this process, and the pipeline needs TensorFlow; "
            "set KERAS_BACKEND=tensorflow before Keras is imported"
        )


def use_default_formats() -> None:
    """Resets what the user may have set for networks and training.

    keras.json can change the order of axes, the dtype and epsilon. KERAS_MAX_EPOCHS and KERAS_MAX_STEPS_PER_EPOCH
    shorten every training.
    """
    import keras

    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(_EPSILON)
    keras.config.set_dtype_policy("float32")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
