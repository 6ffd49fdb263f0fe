"""What a configuration may say about an optimizer, and that this is what the installed Keras takes."""

import inspect
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.optimizers import Lookahead, Ranger, RectifiedAdam, build_optimizer, parse_optimizer
from efficientmixnet.modules.optimizers.build import CLASSES
from efficientmixnet.modules.optimizers.specification import OPTIMIZERS, sync_period


def test_a_name_is_an_optimizer() -> None:
    assert parse_optimizer("AdamW") == {"name": "adamw"}


def test_arguments_and_inner_optimizers_are_normalized() -> None:
    value = {"name": "lookahead", "inner": {"name": "lookahead", "inner": "Adam"}, "sync_period": 5}
    assert parse_optimizer(value) == {
        "name": "lookahead",
        "inner": {"name": "lookahead", "inner": {"name": "adam"}},
        "sync_period": 5,
    }


def test_numbers_that_yaml_reads_as_text_are_numbers() -> None:
    assert parse_optimizer({"name": "adam", "epsilon": "1e-8"}) == {"name": "adam", "epsilon": 1e-8}


def test_null_switches_an_option_off() -> None:
    assert parse_optimizer({"name": "adamw", "weight_decay": None}) == {"name": "adamw", "weight_decay": None}


def test_parsing_does_not_change_its_input_and_is_idempotent() -> None:
    value: dict[str, Any] = {"name": "lookahead", "inner": {"name": "radam", "exclude_from_weight_decay": ["bias"]}}
    parsed = parse_optimizer(value)
    assert value == {"name": "lookahead", "inner": {"name": "radam", "exclude_from_weight_decay": ["bias"]}}
    assert parse_optimizer(parsed) == parsed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("radm", "optimizer: there is no optimizer 'radm'; did you mean 'radam'? Allowed: adadelta, adafactor,"),
        (
            {"name": "adam", "beta1": 0.9},
            "optimizer.beta1: adam has no such argument; did you mean 'beta_1'? Allowed: am",
        ),
        ({"name": "sgd", "beta_1": 0.9}, "optimizer.beta_1: sgd has no such argument"),
        (
            {"name": "adam", "learning_rate": 0.1},
            "optimizer.learning_rate: the learning rate is not an argument here",
        ),
        (
            {"name": "lookahead", "inner": {"name": "adm"}},
            "optimizer.inner: there is no optimizer 'adm'; did you mean 'adam'?",
        ),
        (
            {"name": "lookahead", "inner": "adam", "clipnorm": 1},
            "optimizer.clipnorm: lookahead leaves this to its inner",
        ),
        (
            {"name": "lookahead", "inner": "adam", "sync_perod": 1},
            "optimizer.sync_perod: lookahead has no such argument; did you mean",
        ),
        ("lookahead", "optimizer: lookahead needs the optimizer that it goes around, for example inner: radam."),
        ({"name": "adam", "inner": "sgd"}, "optimizer.inner: adam has no such argument"),
        ({"name": "adam", "beta_1": 1.0}, "optimizer.beta_1: expected a number from 0 to below 1, not 1.0."),
        ({"name": "adam", "beta_1": True}, "optimizer.beta_1: expected a number from 0 to below 1, not True."),
        ({"name": "adam", "epsilon": None}, "optimizer.epsilon: expected a number of 0 or more, not None."),
        (
            {"name": "sgd", "clipnorm": float("inf")},
            "optimizer.clipnorm: expected a number above 0, at most 1e+12, not inf.",
        ),
        (
            {"name": "adam", "epsilon": 10**4000},
            "optimizer.epsilon: expected a number of 0 or more, at most 1e+12, not",
        ),
        (
            {"name": "muon", "ns_steps": 10**9},
            "optimizer.ns_steps: expected a whole number from 1 to 100, not 1000000000.",
        ),
        ({"name": "adam", "amsgrad": "yes"}, "optimizer.amsgrad: expected true or false, not 'yes'."),
        ({"name": "radam", "sma_threshold": 3}, "optimizer.sma_threshold: expected a number of 4 or more, not 3."),
        (
            {"name": "adam", "clipnorm": 1, "clipvalue": 1},
            "optimizer: clipnorm and clipvalue exclude each other; keep one.",
        ),
        ({"name": "adam", "exclude_from_weight_decay": "bias"}, "exclude_from_weight_decay: expected a list of names"),
        (
            {"name": "adam", "exclude_from_weight_decay": ["bias", "(gamma"]},
            "exclude_from_weight_decay: expected a list of names or regular expressions, not ['bias', '(gamma'].",
        ),
        (
            {"name": "muon", "exclude_layers": ["*"]},
            "optimizer.exclude_layers: expected a list of names or regular expressions",
        ),
        (
            {"name": "adam", "use_ema": True, "ema_momentum": 1},  # the average would stay as it starts
            "optimizer.ema_momentum: expected a number from 0 to below 1, not 1.",
        ),
        ({"beta_1": 0.9}, "optimizer: expected a name, or a mapping with one"),
        (3, "optimizer: expected a name, or a mapping with one"),
    ],
    ids=str,
)
def test_a_mistake_gives_a_one_line_error(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_optimizer(value)
    assert str(raised.value).startswith(message) or message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_error_names_the_key_of_the_configuration() -> None:
    with pytest.raises(ValueError, match=r"^training\.optimizer\.inner\.rho: "):
        parse_optimizer({"name": "lookahead", "inner": {"name": "adam", "rho": 0.9}}, "training.optimizer")


@pytest.mark.parametrize("name", CLASSES)
def test_every_argument_in_the_table_exists_in_keras(name: str) -> None:
    allowed = set(OPTIMIZERS[name]) - {"exclude_from_weight_decay"}  # a method
    taken = set(inspect.signature(CLASSES[name].__init__).parameters)
    if base := {"ranger": RectifiedAdam, "convmuon": keras.optimizers.AdamW}.get(name):
        taken |= set(inspect.signature(base.__init__).parameters)
    assert allowed <= taken
    # On the oldest supported Keras the table is complete: newer ones may take more.
    if keras.__version__.startswith("3.12."):
        assert allowed == taken - {"self", "learning_rate", "name", "kwargs", "options", "rectified_adam"}


def test_every_optimizer_of_keras_is_in_the_table() -> None:
    newer = {"LossScaleOptimizer", "Optimizer", "MultiOptimizer", "OptimizerMap", "ScheduleFreeAdamW"}
    classes = {name for name, value in vars(keras.optimizers).items() if inspect.isclass(value)} - newer
    assert {name.lower() for name in classes} == set(OPTIMIZERS) - {"convmuon", "radam", "ranger", "lookahead"}


@pytest.mark.parametrize("name", CLASSES)
def test_every_name_builds_an_optimizer_that_trains(name: str) -> None:
    optimizer, variable = build_optimizer(name, 0.1), keras.Variable(np.ones((2, 2), "float32"))
    optimizer.apply([keras.ops.ones((2, 2))], [variable])
    assert float(keras.ops.max(variable)) < 1.0


LIMITS: dict[str, list[Any]] = {  # what each kind of argument lets through at its ends
    "a number": [-2, 0, 2],
    "a number of 0 or more": [0, 10**6],
    "a number of 0 or less": [-(10**6), 0],
    "a number above 0": [1e-9, 10**6],
    "a number from 0 to 1": [0, 1],
    "a number from 0 to below 1": [0, 0.999999],
    "a number above 0, at most 1": [1e-9, 1],
    "a number of 4 or more": [4, 10**6],
    "a whole number of 1 or more": [1, 9],
    "a whole number of 2 or more": [2, 9],
    "a whole number from 1 to 100": [1, 100],
    "a whole number of 0 or more": [0, 9],
    "true or false": [True, False],
    "a list of names or regular expressions": [[], ["bias", "norm.*gamma"]],
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_keras_accepts_all_checked_values(name: str) -> None:
    for argument, kind in OPTIMIZERS[name].items():
        for value in LIMITS[kind.words]:
            specification = {"name": name, argument: value, **({"inner": "adam"} if name == "lookahead" else {})}
            optimizer = build_optimizer(specification, 0.1)
            optimizer.build([keras.Variable([[1.0]])])
            restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
            assert restored.get_config() == optimizer.get_config()


def test_builds_what_the_configuration_says() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    optimizer = build_optimizer(
        {"name": "lookahead", "inner": {"name": "radam", "beta_2": 0.99, "clipnorm": 1.0}, "slow_step_size": 0.8},
        schedule,
        ema_momentum=0.9,
    )
    assert type(optimizer) is Lookahead
    inner = optimizer.inner_optimizer
    assert isinstance(inner, RectifiedAdam)
    assert (optimizer.sync_period, optimizer.slow_step_size) == (6, 0.8)
    assert (inner.beta_2, inner.clipnorm, inner.use_ema, inner.ema_momentum) == (0.99, 1.0, True, 0.9)
    assert float(keras.ops.convert_to_numpy(optimizer.learning_rate)) == pytest.approx(0.1)


def test_excluded_variables_are_not_decayed() -> None:
    value = {"name": "adamw", "weight_decay": 0.5, "exclude_from_weight_decay": ["bias", "gamma"]}
    variables = [keras.Variable([1.0], name=name) for name in ("kernel", "bias", "gamma")]
    build_optimizer(value, 0.1).apply([keras.ops.zeros(1)] * 3, variables)
    values = [float(keras.ops.convert_to_numpy(variable.value)[0]) for variable in variables]
    np.testing.assert_allclose(values, [0.95, 1.0, 1.0], rtol=1e-6)


def test_ranger_by_name_takes_the_arguments_of_both() -> None:
    optimizer = build_optimizer({"name": "ranger", "beta_1": 0.95, "sync_period": 5, "weight_decay": 0.01}, 1)
    assert type(optimizer) is Ranger
    assert (optimizer.sync_period, optimizer.inner_optimizer.beta_1) == (5, 0.95)


def test_checking_imports_no_keras() -> None:
    program = (
        "import sys; from efficientmixnet.modules.optimizers import parse_optimizer; parse_optimizer('ranger');"
        "import efficientmixnet.modules.config.recipes; print({'keras', 'tensorflow', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("given", [{"name": "lookahead", "inner": "sgd"}, {"name": "ranger"}])
def test_the_period_of_lookahead_is_known_before_the_optimizer_is_built(given: dict[str, Any]) -> None:
    assert sync_period(parse_optimizer(given)) == build_optimizer(given, 0.1).sync_period
    assert sync_period(parse_optimizer({**given, "sync_period": 4})) == 4
    assert sync_period(parse_optimizer("radam")) == 1


@pytest.mark.parametrize("name", ["adamw", "convmuon", "adam", "radam"])
def test_no_weight_decay_is_a_weight_decay_of_null(name: str) -> None:
    assert not build_optimizer({"name": name, "weight_decay": None}, 0.1).weight_decay
