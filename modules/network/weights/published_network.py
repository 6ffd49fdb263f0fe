"""published_network: builds a network as its authors published it; variant_of: finds the one that a model follows."""

from collections.abc import Mapping
from functools import cache

import keras

from efficientmixnet.modules.network.body import classifier, feature_maps, head
from efficientmixnet.modules.network.layer_options import LayerOptions
from efficientmixnet.modules.network.plan import plan_network
from efficientmixnet.modules.network.transfer_learning import CLASSIFIER
from efficientmixnet.modules.network.variants import VARIANTS, get_variant


def published_network(variant: str, model: keras.Model, *, as_tensorflow: bool) -> keras.Model:
    """Builds the network as its authors published it, with the channels and the number of classes of a model.

    Args:
        variant: The full name of the variant.
        model: A model built here. Without a classifier, the published network has none either.
        as_tensorflow: Whether it has the epsilon of TensorFlow, not of PyTorch.
    """
    ours = {layer.name: layer for layer in model.layers}
    plan = plan_network(get_variant(variant))
    epsilon = 1e-3 if as_tensorflow else 1e-5
    options = LayerOptions("channels_last", momentum=0.99, epsilon=epsilon, synchronized=False)
    image = keras.Input((None, None, ours["stem_conv"].kernel.shape[2] if "stem_conv" in ours else 3))
    x = head(feature_maps(image, plan, options), plan, options)
    if CLASSIFIER in ours:
        pooled = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="pool")(x)
        x = classifier(pooled, ours[CLASSIFIER].units, "softmax", dropout_rate=0)
    return keras.Model(image, x)


def variant_of(model: keras.Model) -> str | None:
    """Returns the variant with the same blocks and filters, whatever the name, kernels, norms and activations are."""
    filters = {
        layer.name.removesuffix("_project_conv"): getattr(layer, "filters", None)
        for layer in model.layers
        if layer.name == "stem_conv" or layer.name.endswith("_project_conv")
    }
    return next((variant for variant in VARIANTS if _filters(variant) == filters), None)


@cache
def _filters(variant: str) -> Mapping[str, int | None]:
    plan = plan_network(get_variant(variant))
    return {"stem_conv": plan.stem_filters, **{block.name: block.args.output_filters for block in plan.blocks}}
