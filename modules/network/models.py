"""The ready variants as callables with Keras's usual arguments, made from the table: EfficientNetB0, MixNetS, ..."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from efficientmixnet.modules.network.builder import EfficientNetBuilder
from efficientmixnet.modules.network.variants import VARIANTS, Variant


def _ready(variant: Variant) -> Callable[..., keras.Model]:
    def build(
        input_shape: tuple[int | None, ...] | None = None,
        include_top: bool = True,
        weights: str | Path | None = None,
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
        name: str | None = None,
        *,
        mixed: bool = False,
        dropout_rate: float | None = None,
        **options: Any,
    ) -> keras.Model:
        builder = EfficientNetBuilder(
            input_shape=input_shape,
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            pooling="avg" if include_top and pooling is None else pooling,
            classes=classes,
            mixed=mixed,
            classifier_activation=classifier_activation,
            **options,
        )
        return builder.default_model(variant.name, dropout_rate=dropout_rate, model_name=name)

    size = variant.default_size
    build.__name__ = build.__qualname__ = variant.name
    build.__doc__ = (
        f"{variant.name}: images of {size}x{size} by default, width {variant.width_coefficient}, depth "
        f"{variant.depth_coefficient}, dropout {variant.dropout_rate}.\n\n"
        "The arguments are those of keras.applications, but for weights, None by default, and images, which come "
        "through `preprocess_input`. `options` are the other arguments of `EfficientNetBuilder`: typeBN, activation, "
        "n_mixture, features, ..."
    )
    return build


def scaled_model(
    phi: float,
    alpha: float = 1.2,
    beta: float = 1.1,
    gamma: float = 1.15,
    *,
    dropout_rate: float = 0.2,
    **options: Any,
) -> keras.Model:
    """EfficientNet by compound coefficient; `options` are the arguments of `EfficientNetBuilder`."""
    return EfficientNetBuilder(**options).scaled_model(phi, alpha, beta, gamma, dropout_rate=dropout_rate)


READY: dict[str, Callable[..., keras.Model]] = {name: _ready(variant) for name, variant in VARIANTS.items()}


def __getattr__(name: str) -> Callable[..., keras.Model]:
    if name not in READY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return READY[name]


def __dir__() -> list[str]:
    return sorted([*READY, "scaled_model"])
