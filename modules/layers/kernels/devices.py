"""Whether the layers run on TensorFlow without an accelerator, where some gradients have faster formulations."""

import keras


def on_tensorflow_cpu() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return {device.device_type for device in tf.config.list_logical_devices()} == {"CPU"}


def on_jax_cpu() -> bool:
    """Whether Keras computes with JAX, which has no accelerator."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return bool(jax.default_backend() == "cpu")
