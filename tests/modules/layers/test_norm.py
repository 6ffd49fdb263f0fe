"""A norm is one value, read from a configuration, and it knows its cost."""

import math
from typing import Any

import pytest

from efficientmixnet.modules.layers import normalization
from efficientmixnet.modules.layers.norm import KINDS, Norm


@pytest.mark.parametrize(
    ("value", "norm"),
    [
        ("an", Norm("an")),
        ({"kind": "an", "n_mixture": 10}, Norm("an", 10)),
        ({"n_mixture": 3}, Norm(None, 3)),
        (Norm("iebn"), Norm("iebn")),
        (None, Norm()),
    ],
)
def test_a_kind_or_a_mapping_is_read(value: Any, norm: Norm) -> None:
    assert Norm.of(value) == norm


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("gn", "norm: 'gn' is unknown; give one of bn, an, iebn"),
        ({"kind": "an", "mixtures": 3}, "is neither a kind, such as an, nor"),
        (["an"], "is neither a kind"),
        ({"kind": "an", "n_mixture": 0}, "norm.n_mixture: 0, give a whole number from 1"),
        ({"kind": "an", "n_mixture": True}, "norm.n_mixture: True, give a whole number from 1"),
        ({"kind": "iebn", "n_mixture": 5}, "norm.n_mixture: has no effect on iebn; use it with an"),
        ({"kind": "bn", "init": "paper"}, "norm.init: has no effect on bn; use it with an or iebn"),
        ({"kind": "an", "n_mixture": 2.0}, "norm.n_mixture: 2.0, give a whole number from 1"),
    ],
)
def test_anything_else_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Norm.of(value)


def test_missing_parts_of_a_norm_come_from_the_other_norm() -> None:
    assert Norm("an").or_else(Norm("bn", 7)) == Norm("an", 7)
    assert Norm(None, 3).or_else(Norm("iebn", 7)) == Norm("iebn", 3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_counts_the_weights_of_the_layer(kind: str) -> None:
    layer = normalization(Norm(kind, 4))
    layer.build((None, 8, 8, 6))
    cost = Norm(kind, 4).cost(6)
    assert cost.trainable == sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    assert cost.fixed == sum(math.prod(weight.shape) for weight in layer.non_trainable_weights)
