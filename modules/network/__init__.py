"""EfficientNet, MixNet and their variants: one builder, and tables of data."""

from efficientmixnet.modules.lazy_names import lazy_names
from efficientmixnet.modules.network.variants import list_variants

_FILES = {
    "block_args": ("BlockArgs",),
    "builder": ("EfficientNetBuilder",),
    "compound_coefficients": ("get_compound_coeff_func", "optimize_coefficients"),
    "cost": ("summarize",),
    "imagenet": ("center_crop_and_resize", "decode_predictions", "preprocess_input"),
    "models": ("scaled_model", *list_variants()),
    "plan": ("smallest_image_size", "total_stride"),
    "scaling": ("compound_scale",),
    "transfer_learning": ("freeze", "reset_classifier", "unfreeze"),
    "variants": ("Variant", "get_variant", "list_variants"),
    "weights.imagenet_weights": ("load_imagenet_weights",),
    "weights.keras_applications": ("load_keras_applications_weights",),
    "weights.keras_files": ("load_saved_weights",),
    "weights.timm": ("load_timm_weights",),
}

__getattr__, __dir__, __all__ = lazy_names(__name__, {name: file for file, names in _FILES.items() for name in names})
