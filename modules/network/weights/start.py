"""start: gives a network the weights of another one, and warns if the two do not compute the same."""

import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np

from efficientmixnet.modules.network.weights.by_name import matches_by_name
from efficientmixnet.modules.network.weights.departures import Layers, departures
from efficientmixnet.modules.network.weights.squeeze_excite import fold_squeeze_excite

_LIBRARY = "efficientmixnet.modules.network"


class InexactStart(UserWarning):
    """The model does not start with the function of the network that its weights come from."""


def start(
    model: keras.Model,
    arrays: Mapping[str, list[np.ndarray]],
    source: Layers,
    *,
    like: keras.Model,
    known_as: str,
    more: Iterable[str] = (),
) -> keras.Model:
    """Assigns weights to a model. Gates of squeeze-excites that it does not have go into its convolutions.

    Args:
        model: A model built here.
        arrays: The weights of another model built here, by layer name.
        source: The layers of that model, as far as they are known.
        like: A model with its activations.
        known_as: How the message calls the weights.
        more: Further reasons why the model does not compute the same.

    Returns:
        The model. If it does not start with the function of the source, a warning says why.

    Raises:
        ValueError: The weights do not fit. No weight is changed.
    """
    found = fitting(model, arrays, like)
    reasons = [*departures(model, arrays, source), *more]
    for weight, value in found:
        weight.assign(value)
    warn_of_inexact_start(known_as, reasons)
    return model


def fitting(
    model: keras.Model, arrays: Mapping[str, Sequence[np.ndarray]], like: keras.Model
) -> list[tuple[keras.Variable, np.ndarray]]:
    """Returns each weight of the model with its value. See `start`."""
    folded = {name: list(values) for name, values in arrays.items()}
    fold_squeeze_excite(folded, like, {layer.name for layer in model.layers})
    return matches_by_name(model, folded)


def warn_of_inexact_start(known_as: str, reasons: Iterable[str]) -> None:
    """Warns at the line that called this library, if there are reasons."""
    if text := ", ".join(reasons):
        warnings.warn(f"the network does not start exactly as {known_as}: {text}", InexactStart, stacklevel=_caller())


def _caller() -> int:
    """Returns how many calls above `warn_of_inexact_start` the library was called."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(_LIBRARY):
        frame, level = frame.f_back, level + 1
    return level
