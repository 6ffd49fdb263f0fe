"""EfficientNet, MixNet and their attentive kin: one builder, the variants as data.

The public names are looked up on first use: tables, block strings and counts need no Keras.
"""

from importlib import import_module
from typing import Any

from efficientmixnet.modules.network.variants import list_variants

_FILES = {
    "block_args": ("BlockArgs",),
    "builder": ("EfficientNetBuilder",),
    "compound_coefficients": ("get_compound_coeff_func", "optimize_coefficients"),
    "fine_tuning": ("freeze", "reset_classifier", "unfreeze"),
    "imagenet": ("center_crop_and_resize", "decode_predictions", "preprocess_input"),
    "keras_applications_weights": ("load_imagenet_weights", "load_keras_applications_weights"),
    "models": ("scaled_model", *list_variants()),
    "plan": ("smallest_image_size", "total_stride"),
    "saved_weights": ("load_saved_weights",),
    "scaling": ("compound_scale",),
    "summary": ("summarize",),
    "timm_weights": ("load_timm_weights",),
    "variants": ("Variant", "get_variant"),
}
_PUBLIC = {name: file for file, names in _FILES.items() for name in names}

__all__ = ["list_variants", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
