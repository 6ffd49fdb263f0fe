"""build_optimizer: builds the optimizer that a configuration describes."""

from collections.abc import Mapping
from typing import Any

import keras

from efficientmixnet.modules.optimizers.conv_muon import ConvMuon
from efficientmixnet.modules.optimizers.growing_average import averaging
from efficientmixnet.modules.optimizers.lookahead import Lookahead
from efficientmixnet.modules.optimizers.muon import Muon
from efficientmixnet.modules.optimizers.ranger import Ranger
from efficientmixnet.modules.optimizers.rectified_adam import RectifiedAdam
from efficientmixnet.modules.optimizers.specification import LOOKAHEAD, parse_optimizer

CLASSES: dict[str, type[keras.optimizers.Optimizer]] = {
    "adadelta": keras.optimizers.Adadelta,
    "adafactor": keras.optimizers.Adafactor,
    "adagrad": keras.optimizers.Adagrad,
    "adam": keras.optimizers.Adam,
    "adamax": keras.optimizers.Adamax,
    "adamw": keras.optimizers.AdamW,
    "ftrl": keras.optimizers.Ftrl,
    "lamb": keras.optimizers.Lamb,
    "lion": keras.optimizers.Lion,
    "muon": Muon,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
    "convmuon": ConvMuon,
    "radam": RectifiedAdam,
    "ranger": Ranger,
}
_DECAYING = ("adamw", "convmuon")
"""Those of Keras's AdamW, which refuses a weight decay of None."""


def build_optimizer(
    specification: str | Mapping[str, Any],
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule | None,
    *,
    ema_momentum: float | None = None,
) -> keras.optimizers.Optimizer:
    """Builds an optimizer.

    Args:
        specification: A name or a mapping; see `parse_optimizer`.
        learning_rate: Of the innermost optimizer: a number or a schedule. None: the default of its class.
        ema_momentum: If given, the innermost optimizer averages the weights, and training ends with the average. The
            momentum grows to this value, so that the average covers at most about a tenth of the updates so far.

    Returns:
        A Keras optimizer.

    Raises:
        ValueError: The specification is wrong. The message is one line.

    Example:
        >>> build_optimizer({"name": "lookahead", "inner": "radam"}, 0.001).sync_period
        6
    """
    arguments = parse_optimizer(specification)
    name = arguments.pop("name")
    if name == "lookahead":
        inner = arguments.pop("inner")
        return Lookahead(build_optimizer(inner, learning_rate, ema_momentum=ema_momentum), **arguments)
    if name == "ranger" and ema_momentum is not None:  # which is Lookahead around radam
        outer = {key: arguments.pop(key) for key in LOOKAHEAD if key in arguments}
        inner = {"name": "radam", **arguments}
        return Lookahead(build_optimizer(inner, learning_rate, ema_momentum=ema_momentum), **outer)
    excluded = arguments.pop("exclude_from_weight_decay", None)
    kind: Any = CLASSES[name]
    if ema_momentum is not None:
        arguments |= {"use_ema": True, "ema_momentum": ema_momentum}
    if arguments.get("use_ema"):
        kind = averaging(kind)
    if name in _DECAYING and arguments.get("weight_decay", 0.0) is None:
        arguments["weight_decay"] = 0.0
    if learning_rate is not None:
        is_schedule = isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule)
        arguments["learning_rate"] = learning_rate if is_schedule else float(learning_rate)
    optimizer = kind(**arguments)
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=excluded)
    return optimizer
