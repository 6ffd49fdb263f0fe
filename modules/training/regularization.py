"""regularized: chooses the crops, dropout and drop-connect of a training by its number of epochs.

With few epochs a network hardly overfits, and learns more from images that change little (docs/training.md).
"""

from efficientmixnet.modules.config.model_config import ModelConfig

# The values up to 12 epochs, and from 36 epochs on. Between them, they change linearly.
_EPOCHS = (12, 36)
_SMALLEST_CROP = (0.85, 0.5)  # as a fraction of the image's area
_DROPOUT = (0.0, 0.2)
_DROP_CONNECT = (0.0, 0.1)


def regularized(config: ModelConfig, epochs: int) -> ModelConfig:
    """Returns the configuration with values for the keys that leave the choice: null, or for crops auto.

    Recipes and fine-tuning have values of their own.

    Args:
        config: The configuration.
        epochs: The epochs of the training.

    Returns:
        The configuration, in which these keys have values.

    Example:
        >>> regularized(ModelConfig(), 12).training.augmentation.crop_scale
        (0.85, 1.0)
    """
    if config.network.weights is not None or config.training.recipe is not None:
        return config
    few, many = _EPOCHS
    fraction = min(max((epochs - few) / (many - few), 0.0), 1.0)

    def between(ends: tuple[float, float]) -> float:
        return round(ends[0] + fraction * (ends[1] - ends[0]), 3)

    values = config.model_dump(mode="json")
    network, augmentation = values["network"], values["training"]["augmentation"]
    if network["dropout"] is None:
        network["dropout"] = between(_DROPOUT)
    if network["drop_connect"] is None:
        network["drop_connect"] = between(_DROP_CONNECT)
    if augmentation["crop_scale"] == "auto":
        augmentation["crop_scale"] = [between(_SMALLEST_CROP), 1.0]
    return ModelConfig.model_validate(values)
