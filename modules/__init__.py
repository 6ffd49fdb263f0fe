"""The network library, and the code that runs inside the pipeline's components."""

from efficientmixnet.modules.lazy_names import lazy_names
from efficientmixnet.modules.saved_classes import register_saved_classes

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "BlockArgs": "network.block_args",
        "ConvMuon": "optimizers.conv_muon",
        "EfficientNetBuilder": "network.builder",
        "Lookahead": "optimizers.lookahead",
        "Ranger": "optimizers.ranger",
        "RectifiedAdam": "optimizers.rectified_adam",
    },
)

register_saved_classes()
