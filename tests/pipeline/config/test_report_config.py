"""What a run costs: seconds at the price of an hour."""

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import load_config
from efficientmixnet.pipeline.config.report_config import ReportConfig


def test_an_hour_at_its_price():
    config = ReportConfig(price_per_hour=3.06)
    assert config.costs({"Trainer": 3600.0, "Evaluator": 90.0}) == {"Trainer": 3.06, "Evaluator": 0.0765}


def test_without_a_price_nothing_costs_anything():
    assert ReportConfig().costs({"Trainer": 3600.0}) == {}


def test_a_machine_that_costs_nothing_says_so():
    assert ReportConfig(price_per_hour=0).costs({"Trainer": 3600.0}) == {"Trainer": 0.0}


@pytest.mark.parametrize(("value", "why"), [("-1", "greater than or equal to 0"), (".inf", "finite number")])
def test_a_price_that_is_none_is_named_by_its_key(value, why):
    with pytest.raises(BadInput, match=f"report.price_per_hour: .*{why}"):
        load_config(None, [f"report.price_per_hour={value}"])
