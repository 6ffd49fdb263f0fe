"""Augmentation of training images, by stateless TensorFlow operations: the same seed gives the same image."""

from efficientmixnet.modules.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {"augment_image": "image", "mix_images": "mixing"})
