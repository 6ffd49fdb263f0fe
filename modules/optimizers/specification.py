"""parse_optimizer: checks the optimizer of a configuration without importing Keras.

    optimizer: adamw
    optimizer: {name: rmsprop, rho: 0.9, momentum: 0.9, epsilon: 0.001}
    optimizer: {name: lookahead, inner: {name: radam, beta_2: 0.99}, sync_period: 6}

The table has every argument that all supported versions of Keras have. The learning rate is a separate key in the
section training.
"""

import re
import reprlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

_LARGEST = 10**12  # of all numbers: with larger ones, weights of type float32 overflow


@dataclass(frozen=True)
class Kind:
    """A kind of argument: its description, its type and its check."""

    words: str
    type: Callable[[Any], Any]
    accepts: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_pattern(value: Any) -> bool:
    """Whether Keras can search the names of variables for it, which it does as for a regular expression."""
    with suppress(re.error, RecursionError, OverflowError):
        return isinstance(value, str) and re.compile(value) is not None
    return False


# Integers become floats: Keras refuses some, such as a momentum of 0.
NUMBER = Kind("a number", float, _is_number)
AMOUNT = Kind("a number of 0 or more", float, lambda value: _is_number(value) and value >= 0)
AT_MOST_0 = Kind("a number of 0 or less", float, lambda value: _is_number(value) and value <= 0)
POSITIVE = Kind("a number above 0", float, lambda value: _is_number(value) and value > 0)
SHARE = Kind("a number from 0 to 1", float, lambda value: _is_number(value) and 0 <= value <= 1)
DECAY = Kind("a number from 0 to below 1", float, lambda value: _is_number(value) and 0 <= value < 1)
STEP = Kind("a number above 0, at most 1", float, lambda value: _is_number(value) and 0 < value <= 1)
THRESHOLD = Kind("a number of 4 or more", float, lambda value: _is_number(value) and value >= 4)
COUNT = Kind("a whole number of 1 or more", int, lambda value: _is_count(value) and value >= 1)
FEW = Kind("a whole number from 1 to 100", int, lambda value: _is_count(value) and 1 <= value <= 100)
SEVERAL = Kind("a whole number of 2 or more", int, lambda value: _is_count(value) and value >= 2)
COUNT_OR_0 = Kind("a whole number of 0 or more", int, lambda value: _is_count(value) and value >= 0)
FLAG = Kind("true or false", bool, lambda value: isinstance(value, bool))
NAMES = Kind(
    "a list of names or regular expressions",
    list,
    lambda value: isinstance(value, list | tuple) and all(map(_is_pattern, value)),
)

OPTIONS = {  # of every optimizer; each can be null
    "weight_decay": AMOUNT,
    "exclude_from_weight_decay": NAMES,  # parts of variable names, for Keras's method of this name
    "clipnorm": POSITIVE,
    "clipvalue": POSITIVE,
    "global_clipnorm": POSITIVE,
    "use_ema": FLAG,
    "ema_momentum": DECAY,
    "ema_overwrite_frequency": COUNT,
    "loss_scale_factor": POSITIVE,
    "gradient_accumulation_steps": SEVERAL,
}
NEVER_NULL = {"use_ema", "ema_momentum"}
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")

_MOMENTS = {"beta_1": DECAY, "beta_2": DECAY, "epsilon": AMOUNT}
_RECTIFIED_ADAM = {
    **_MOMENTS,
    "sma_threshold": THRESHOLD,
    "degenerate_to_sgd": FLAG,
    "total_steps": COUNT_OR_0,
    "warmup_proportion": SHARE,
    "min_lr": AMOUNT,
    "amsgrad": FLAG,
}
_SYNC_PERIOD = 6  # Lookahead's default
LOOKAHEAD = {"sync_period": COUNT, "slow_step_size": STEP}

OPTIMIZERS: dict[str, dict[str, Kind]] = {
    "adadelta": {"rho": DECAY, "epsilon": AMOUNT, **OPTIONS},
    "adafactor": {
        "beta_2_decay": NUMBER,
        "epsilon_1": AMOUNT,
        "epsilon_2": AMOUNT,
        "clip_threshold": POSITIVE,
        "relative_step": FLAG,
        **OPTIONS,
    },
    "adagrad": {"initial_accumulator_value": AMOUNT, "epsilon": AMOUNT, **OPTIONS},
    "adam": {**_MOMENTS, "amsgrad": FLAG, **OPTIONS},
    "adamax": {**_MOMENTS, **OPTIONS},
    "adamw": {**_MOMENTS, "amsgrad": FLAG, **OPTIONS},
    "ftrl": {
        "learning_rate_power": AT_MOST_0,
        "initial_accumulator_value": AMOUNT,
        "l1_regularization_strength": AMOUNT,
        "l2_regularization_strength": AMOUNT,
        "l2_shrinkage_regularization_strength": AMOUNT,
        "beta": AMOUNT,
        **OPTIONS,
    },
    "lamb": {**_MOMENTS, **OPTIONS},
    "lion": {"beta_1": STEP, "beta_2": DECAY, **OPTIONS},
    "muon": {
        "adam_beta_1": DECAY,
        "adam_beta_2": DECAY,
        "epsilon": AMOUNT,
        "exclude_layers": NAMES,
        "exclude_embeddings": FLAG,
        "muon_a": NUMBER,
        "muon_b": NUMBER,
        "muon_c": NUMBER,
        "adam_lr_ratio": AMOUNT,
        "momentum": SHARE,
        "ns_steps": FEW,
        "nesterov": FLAG,
        **OPTIONS,
    },
    "nadam": {**_MOMENTS, **OPTIONS},
    "rmsprop": {"rho": DECAY, "momentum": SHARE, "epsilon": AMOUNT, "centered": FLAG, **OPTIONS},
    "sgd": {"momentum": SHARE, "nesterov": FLAG, **OPTIONS},
    "convmuon": {
        **_MOMENTS,
        "amsgrad": FLAG,
        "momentum": SHARE,
        "ns_steps": FEW,
        "rms_rate": AMOUNT,
        **OPTIONS,
    },
    "radam": {**_RECTIFIED_ADAM, **OPTIONS},
    "ranger": {**_RECTIFIED_ADAM, **LOOKAHEAD, **OPTIONS},
    "lookahead": LOOKAHEAD,  # and `inner`, which takes the options
}


def sync_period(optimizer: Mapping[str, Any]) -> int:
    """Returns the updates after which a parsed optimizer moves the weights that are exported: 1 without Lookahead.

    Example:
        >>> sync_period({"name": "ranger", "sync_period": 5})
        5
    """
    return optimizer.get("sync_period", _SYNC_PERIOD) if optimizer["name"] in ("lookahead", "ranger") else 1


def parse_optimizer(value: str | Mapping[str, Any], where: str = "optimizer") -> dict[str, Any]:
    """Reads an optimizer's name and arguments.

    Args:
        value: A name, or a mapping with `name` and arguments. lookahead's `inner` is another such value.
        where: The configuration key, for errors.

    Returns:
        A dictionary with `name` and all given arguments.

    Raises:
        ValueError: The name or an argument is unknown or out of range. The message is one line.

    Example:
        >>> parse_optimizer({"name": "radam", "beta_2": 0.99})
        {'name': 'radam', 'beta_2': 0.99}
    """
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        found = reprlib.repr(value)
        raise ValueError(f"{where}: expected a name, or a mapping with one such as {{name: adamw}}, not {found}.")
    name = value["name"].lower()
    if name not in OPTIMIZERS:
        raise ValueError(f"{where}: there is no optimizer {value['name']!r}{_allowed(name, OPTIMIZERS)}")
    kinds = OPTIMIZERS[name]
    arguments = {key: argument for key, argument in value.items() if key != "name"}
    parsed: dict[str, Any] = {"name": name}
    if name == "lookahead":
        if "inner" not in arguments:
            raise ValueError(f"{where}: lookahead needs the optimizer that it goes around, for example inner: radam.")
        parsed["inner"] = parse_optimizer(arguments.pop("inner"), f"{where}.inner")
    for key, argument in arguments.items():
        if key == "learning_rate":
            raise ValueError(
                f"{where}.learning_rate: the learning rate is not an argument here; set it next to the optimizer"
            )
        if name == "lookahead" and key in OPTIONS:
            raise ValueError(f"{where}.{key}: lookahead leaves this to its inner optimizer: {where}.inner.{key}.")
        if key not in kinds:
            names = [*kinds, "inner"] if name == "lookahead" else kinds
            raise ValueError(f"{where}.{key}: {name} has no such argument{_allowed(str(key), names)}")
        parsed[key] = _parse_argument(argument, kinds[key], f"{where}.{key}", key in OPTIONS and key not in NEVER_NULL)
    clipping = [key for key in CLIPPING if parsed.get(key) is not None]
    if len(clipping) > 1:
        raise ValueError(f"{where}: {' and '.join(clipping)} exclude each other; keep one.")
    return parsed


def _parse_argument(argument: Any, kind: Kind, where: str, may_be_null: bool) -> Any:
    if argument is None and may_be_null:
        return None
    if isinstance(argument, str) and kind.type is float:
        with suppress(ValueError):
            argument = float(argument)  # YAML reads 1e-7 as a string
    if not kind.accepts(argument):
        most = f", at most {_LARGEST:.0e}" if isinstance(argument, int | float) and argument > _LARGEST else ""
        raise ValueError(f"{where}: expected {kind.words}{most}, not {reprlib.repr(argument)}.")
    return kind.type(argument)


def _allowed(name: str, names: Any) -> str:
    nearest = get_close_matches(name, names, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return f"{hint} Allowed: {', '.join(sorted(names))}."
