"""checked_data_format: the data format of a layer, which is given or Keras's own."""

import keras

DATA_FORMATS = ("channels_last", "channels_first")


def checked_data_format(given: str | None, layer: str) -> str:
    """Returns the given data format; None: Keras's image_data_format().

    Raises:
        ValueError: There is no such format. The message names the layer.
    """
    if given is None:
        return str(keras.config.image_data_format())
    if given not in DATA_FORMATS:
        raise ValueError(f"{layer}: data_format must be one of {', '.join(DATA_FORMATS)}, got {given!r}.")
    return given
