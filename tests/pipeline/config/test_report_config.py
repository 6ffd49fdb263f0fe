"""Tests of the costs of a run."""

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import load_config
from efficientmixnet.pipeline.config.report_config import ReportConfig


def test_costs_follow_from_the_price_of_an_hour():
    config = ReportConfig(price_per_hour=3.06)
    assert config.costs({"Trainer": 3600.0, "Evaluator": 90.0}) == {"Trainer": 3.06, "Evaluator": 0.0765}


def test_there_are_no_costs_without_a_price():
    assert ReportConfig().costs({"Trainer": 3600.0}) == {}


def test_a_price_of_zero_gives_costs_of_zero():
    assert ReportConfig(price_per_hour=0).costs({"Trainer": 3600.0}) == {"Trainer": 0.0}


@pytest.mark.parametrize(("value", "why"), [("-1", "greater than or equal to 0"), (".inf", "finite number")])
def test_a_bad_price_is_refused_with_its_key(value, why):
    with pytest.raises(BadInput, match=f"report.price_per_hour: .*{why}"):
        load_config(None, [f"report.price_per_hour={value}"])
