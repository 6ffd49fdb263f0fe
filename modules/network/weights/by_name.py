"""matches_by_name: pairs the weights of a model with arrays by the names of its layers."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from efficientmixnet.modules.network.weights.adapt import adapt
from efficientmixnet.modules.network.weights.transfer import Transfer, matches

_TOP = ("head_conv", "head_norm", "predictions")


def matches_by_name(
    model: keras.Model, arrays: Mapping[str, Sequence[np.ndarray]]
) -> list[tuple[keras.Variable, np.ndarray]]:
    """Pairs each weight of a model with its value. Layers of another kind get adapted values.

    A model without classifier or head ignores those of the source.

    Args:
        model: A model built here.
        arrays: The weights of another model built here, by layer name.

    Raises:
        ValueError: The weights do not fit.
    """
    transfers = []
    for layer in model.layers:
        values = adapt(layer, arrays.get(layer.name, []))
        for index, weight in enumerate(layer.weights):
            value = values[index] if index < len(values) else None
            transfers.append(Transfer(layer.name, weight, f"{layer.name}/{weight.name}", value))
    return matches(transfers, arrays.keys() - {transfer.layer for transfer in transfers} - {*_TOP})
