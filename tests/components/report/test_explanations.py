"""The page explains its numbers: a guess, a default threshold, a difference, and the choice of a budget."""

import pytest
from report_run import RUN

from efficientmixnet.components.report.page import render


def test_the_accuracy_of_a_guess_is_explained(evaluate):
    """Of 20 images, a guess between two classes gets 15 or more right with probability 0.021, and 14 with 0.058."""
    page = render(evaluate(2, 10).content, RUN)
    assert "has an accuracy of 0.5000 on the evaluation split" in page
    assert "A guess reaches 0.7500 or more with a probability of at most 5 %" in page


def test_the_page_explains_the_default_threshold_or_why_there_is_none(page):
    _, content = page
    enough = {"accuracy": 0.5, "least": 0.75, "all": 0.5**20}
    assert "A guess reaches 0.7500 or more with a probability of at most 5 %." in render(
        content | {"guessing": enough}, RUN
    )
    too_few = render(content | {"guessing": {"accuracy": 0.5, "least": None, "all": 0.5**3}}, RUN)
    assert "Guessing gets all of its images right with a probability of 12.5\u00a0%." in too_few
    assert "no model is blessed unless the configuration sets a threshold for accuracy" in too_few
    assert "at most 5 %" not in too_few


@pytest.mark.parametrize(
    ("difference", "marked"),
    [
        ({"value": 0.01, "low": 0.001, "high": 0.02, "p_value": 0.0625}, ""),
        ({"value": 0.01, "low": 0.001, "high": 0.02, "p_value": 0.03125}, "better"),
        ({"value": -0.01, "low": -0.02, "high": -0.001, "p_value": 0.03125}, "worse"),
        ({"value": -0.01, "low": -0.02, "high": -0.001}, "worse"),  # of an earlier version
        ({"value": 0.01, "low": -0.001, "high": 0.02, "p_value": None}, ""),
    ],
)
def test_a_difference_is_better_as_mcnemars_test_says(page, difference, marked):
    _, content = page
    accuracy = {"name": "accuracy", "value": 0.9, "low": 0.8, "high": 0.95, "difference": difference}
    html = render(content | {"metrics": [accuracy], "has_baseline": True}, RUN)
    shown = "+0.0100" if difference["value"] > 0 else "−0.0100"
    assert f'<td class="n {marked}">{shown}{" " * bool(marked)}{marked}</td>' in html
    assert "by McNemar's exact test (p &lt; 0.05)" in html


def test_the_page_lists_the_networks_that_a_budget_considered(evaluate):
    content = evaluate(2, 20).content
    config = {**content["config"], "training": {**content["config"]["training"], "budget": "30m", "epochs": 1234}}
    considered = [
        {"name": name, "multiply_adds": adds, "startup_seconds": 1.0, "epoch_seconds": 12.34, "epochs": epochs}
        for name, adds, epochs in (("tiny", 1_600_000, 1300), ("<b>small", 4_900_000, 7))
    ]
    why = "the largest network with time for 20 epochs"
    html = render({**content, "config": config, "budget": {"why": why, "considered": considered}}, RUN)
    assert f"With a budget of 30m, the training chose its network and 1,234 epochs: {why}." in html
    assert "&lt;b&gt;small" in html
    assert '<td class="n">12.3</td><td class="n">1,300</td>' in html


def test_the_page_says_that_a_budget_chose_only_the_epochs_of_a_given_network(evaluate):
    content = evaluate(2, 20).content
    config = {**content["config"], "training": {**content["config"]["training"], "budget": "5m", "epochs": 3}}
    one = {"name": "B0", "multiply_adds": 4e8, "startup_seconds": 1.0, "epoch_seconds": 80.0, "epochs": 3}
    why = "network.variant is given, and there is no time for 12 epochs"
    budget = {"why": why, "considered": [one | {"is_given": True}]}
    html = render({**content, "config": config, "budget": budget}, RUN)
    assert f"the training chose its 3 epochs, but not its network: {why}. This network was measured:" in html
    assert "chose its network" not in html
