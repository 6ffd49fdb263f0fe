"""Whether layers run on a CPU, where some operations have faster forms."""

import keras


def on_tensorflow_cpu() -> bool:
    """Whether Keras uses TensorFlow on a CPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return {device.device_type for device in tf.config.list_logical_devices()} == {"CPU"}


def on_jax_cpu() -> bool:
    """Whether Keras uses JAX on a CPU."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return bool(jax.default_backend() == "cpu")
