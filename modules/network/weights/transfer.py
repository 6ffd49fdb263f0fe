"""transfer_weights: assigns weights from another source to a model, all or none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

_SHOWN = 4  # names in a message


@dataclass(frozen=True)
class Transfer:
    """A variable of a layer, its name in the source, and its value there, or None."""

    layer: str
    variable: keras.Variable
    source_name: str
    value: np.ndarray | None


def transfer_weights(transfers: Iterable[Transfer], unused: Iterable[str] = ()) -> None:
    """Checks all shapes, then assigns all values, as `matches` returns them."""
    for variable, value in matches(transfers, unused):
        variable.assign(value)


def matches(transfers: Iterable[Transfer], unused: Iterable[str] = ()) -> list[tuple[keras.Variable, np.ndarray]]:
    """Checks all shapes, and returns the values of all variables. The stem is fitted to the number of input channels.

    Args:
        transfers: The variables of the model with their values.
        unused: The names in the source that the model does not use.

    Raises:
        ValueError: The weights do not fit. No weight is changed.
    """
    transfers, unused = tuple(transfers), sorted(unused)
    if unused:
        _refuse_foreign_names(transfers, unused)
    fitted = [(each.variable, _fitted(each)) for each in transfers]
    if unused:
        raise ValueError(
            f"weights: the model has no place for {unused[0]!r} and {len(unused) - 1} more; "
            "likely cause: weights of another variant, or of other squeeze-excite or kernel sizes"
        )
    return fitted


def _refuse_foreign_names(transfers: Sequence[Transfer], unused: Sequence[str]) -> None:
    """Lists the names of both sides if fewer than half of the layers are in the source: it is another network."""
    layers = {transfer.layer for transfer in transfers}
    found = {transfer.layer for transfer in transfers if transfer.value is not None}
    if 2 * len(found) >= len(layers):
        return
    what = f"the source has only {len(found)} of the {len(layers)} layers" if found else "no name fits"
    expected = dict.fromkeys(each.source_name for each in transfers if each.layer not in found)
    raise ValueError(
        f"weights: {what}; the model expects {_first(expected)}, and the source has {_first(unused)}; "
        "likely cause: weights of another network"
    )


def _first(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:_SHOWN]) + ", ..."


def fit_input_channels(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Fits a stem kernel to a number of channels: (height, width, in, out) -> (height, width, channels, out).

    For one channel the kernel is summed over its inputs. For more channels it is repeated and scaled, as in timm, so
    that responses keep their size.
    """
    given = kernel.shape[2]
    if channels == given:
        return kernel
    if channels == 1:
        return kernel.sum(axis=2, keepdims=True)
    repeated = np.tile(kernel, (1, 1, -(-channels // given), 1))[:, :, :channels]
    return repeated * (given / channels)


def _fitted(transfer: Transfer) -> np.ndarray:
    expected = tuple(transfer.variable.shape)
    where = f"weights of layer {transfer.layer!r}"
    if transfer.value is None:
        raise ValueError(
            f"{where}: the source has no {transfer.source_name!r} for the model's {expected}; "
            f"likely cause: {_likely_cause(transfer)}"
        )
    value = np.asarray(transfer.value)
    value = value.astype(np.promote_types(value.dtype, "float32"))  # float64 stays; half precision is fitted in float32
    if transfer.layer == "stem_conv" and value.ndim == 4 and value.shape[:2] == expected[:2]:
        value = fit_input_channels(value, expected[2])
    if value.shape != expected:
        raise ValueError(
            f"{where}: the model's {transfer.variable.name} is {expected}, {transfer.source_name!r} of the source is "
            f"{value.shape}; likely cause: {_likely_cause(transfer)}"
        )
    return value


def _likely_cause(transfer: Transfer) -> str:
    layer, expected = transfer.layer, tuple(transfer.variable.shape)
    found: Any = None if transfer.value is None else transfer.value.shape
    if layer == "predictions":
        if found and len(found) == 2 and found[0] != expected[0]:
            return "another pooling, embedding width or variant"
        if found:
            return f"{found[-1]} classes in the source; build with classes={found[-1]}, then call reset_classifier"
        return "weights without a classifier; build with include_top=False, then call reset_classifier"
    if layer.endswith("_norm"):
        if found is None or len(found) != len(expected):
            return "another norm; give the norm of the weights"
        return "another variant or width"
    if layer.endswith("depthwise_conv") and (found is None or found[:2] != expected[:2]):
        return "other kernel sizes; mixed must be that of the weights"
    if layer.endswith("squeeze_excite"):
        return "another variant, or another se_ratio"
    return "another variant, width or depth"
