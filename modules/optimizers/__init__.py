"""Optimizers that Keras lacks, learning-rate schedules, and how a configuration names them."""

from efficientmixnet.modules.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "ConvMuon": "conv_muon",
        "Lookahead": "lookahead",
        "Ranger": "ranger",
        "RectifiedAdam": "rectified_adam",
        "build_optimizer": "build",
        "parse_optimizer": "specification",
    },
)
