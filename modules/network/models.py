"""The ready variants as functions with Keras's usual arguments: EfficientNetB0, MixNetS, ..."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import keras

from efficientmixnet.modules.network.builder import EfficientNetBuilder
from efficientmixnet.modules.network.variants import VARIANTS, Variant

_BUILDER = {field.name: field for field in fields(EfficientNetBuilder)}
# In the order of keras.applications; the others follow by name.
_POSITIONAL = ("include_top", "weights", "input_tensor", "input_shape", "pooling", "classes", "classifier_activation")


def _signature() -> inspect.Signature:
    """Returns the signature of every ready variant, for `help` and completion."""

    def parameter(name: str, default: Any, kind: Any) -> inspect.Parameter:
        annotation = _BUILDER[name].type if name in _BUILDER else inspect.Parameter.empty
        return inspect.Parameter(name, kind, default=default, annotation=annotation)

    positional = [
        parameter(name, None if name == "pooling" else _BUILDER[name].default, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for name in _POSITIONAL
    ]
    positional.append(parameter("name", None, inspect.Parameter.POSITIONAL_OR_KEYWORD))
    by_name = {"mixed": False, "dropout_rate": None} | {
        name: field.default for name, field in _BUILDER.items() if name not in _POSITIONAL
    }
    only = [parameter(name, default, inspect.Parameter.KEYWORD_ONLY) for name, default in by_name.items()]
    return inspect.Signature([*positional, *only], return_annotation=keras.Model)


_SIGNATURE = _signature()
_ARGUMENTS = (EfficientNetBuilder.__doc__ or "").partition("Args:")[2].rstrip()


def _ready(variant: Variant) -> Callable[..., keras.Model]:
    def build(*arguments: Any, **options: Any) -> keras.Model:
        given = _SIGNATURE.bind(*arguments, **options).arguments
        if not isinstance(given.get("include_top", True), bool):
            order = ", ".join((*_POSITIONAL, "name"))
            raise TypeError(f"include_top: give True or False, not {given['include_top']!r}. The arguments are {order}")
        name, dropout_rate = given.pop("name", None), given.pop("dropout_rate", None)
        if given.get("pooling") is None:
            given["pooling"] = "avg" if given.get("include_top", True) else None
        return EfficientNetBuilder(**given).default_model(variant.name, dropout_rate=dropout_rate, model_name=name)

    size = variant.default_size
    build.__name__ = build.__qualname__ = variant.name
    build.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
    build.__doc__ = (
        f"Builds {variant.name}: images of {size}x{size} by default, width {variant.width_coefficient}, depth "
        f"{variant.depth_coefficient}, dropout {variant.dropout_rate}.\n\n"
        "The first arguments are those of keras.applications. `weights` is None by default. Images must be "
        "preprocessed with `preprocess_input`.\n\n"
        f"Args:{_ARGUMENTS}\n        dropout_rate: Before the classifier. None: the variant's own.\n"
        "        name: The model's name. None: the variant's.\n\n"
        f'Returns:\n        A Keras model.\n\n    Example:\n        >>> {variant.name}(classes=10, norm="an")\n    '
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
    """Builds an EfficientNet by compound coefficient; see EfficientNetBuilder.scaled_model.

    Args:
        phi: The compound coefficient. 0 is B0.
        alpha, beta, gamma: The bases of depth, width and image size.
        dropout_rate: Before the classifier.
        **options: The arguments of EfficientNetBuilder.

    Returns:
        A Keras model.
    """
    return EfficientNetBuilder(**options).scaled_model(phi, alpha, beta, gamma, dropout_rate=dropout_rate)


READY: dict[str, Callable[..., keras.Model]] = {name: _ready(variant) for name, variant in VARIANTS.items()}


def __getattr__(name: str) -> Callable[..., keras.Model]:
    if name not in READY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return READY[name]


def __dir__() -> list[str]:
    return sorted([*READY, "scaled_model"])
