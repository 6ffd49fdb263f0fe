"""The model card has the report's facts, and labels are escaped."""

import pytest

from efficientmixnet.components.report.content import headline, measured
from efficientmixnet.components.report.model_card import model_card, text
from efficientmixnet.components.report.page import render

RUN = {"started": "2020-01-02T03:04:05", "revision": "abc", "versions": {"keras": "3"}}


@pytest.mark.parametrize("classes", [2, 30])
def test_the_card_has_the_reports_facts(evaluate, classes):
    content = evaluate(classes, 20).content
    card, page = model_card(content, RUN, "17")
    assert card.startswith("# gray 17\n")
    accuracy = next(one for one in content["metrics"] if one["name"] == "accuracy")
    assert f"| accuracy | {accuracy['value']:.4f} | {accuracy['low']:.4f} – {accuracy['high']:.4f} |" in card
    assert f"{20 * classes} train, {20 * classes} eval images" in card
    assert "| code | abc; keras 3 |" in card
    label, _, count = content["top_confusions"][0]
    assert f"{count} of 20 images of {text(content['classes'][label]['label'])} are predicted as" in card
    assert page.count("<table>") == 3
    assert "Left out: 2 (has zero bytes)." in card
    assert "<li>a note</li>" in page
    assert 'class "0" &lt;b&gt;&amp;' in page
    assert "http" not in page.replace("http-equiv", "")


def test_card_and_page_say_how_calibration_changed_the_error(evaluate):
    evaluated = evaluate(2, 20)
    content = evaluated.content | measured(evaluated.predictions, temperature=1.5)
    error, before = (f"{content['calibration'][key]:.4f}" for key in ("error", "error_before"))
    sentence = f"The expected calibration error is {error}; before calibration it was {before}."
    card, _ = model_card(content, RUN, "17")
    assert f"temperature 1.50. {sentence}" in card
    page = render(content)
    assert sentence in page
    chart = page.partition('<section id="calibration">')[2].partition("</section>")[0]
    assert chart.count("<polyline") == 2
    assert "before" in chart


def test_a_label_written_right_to_left_is_isolated():
    assert text("قطة") == "\u2068قطة\u2069"
    assert text("cat") == "cat"


def test_markdown_and_html_in_a_label_are_escaped():
    assert text("a|b <i>*c*_d_") == r"a\|b &lt;i&gt;\*c\*\_d\_"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_shows_the_card_without_network_requests(evaluate, tmp_path, chromium, width, dark):
    content = evaluate(2, 20).content
    _, html = model_card(content, RUN, "17")
    (tmp_path / "card.html").write_text(html, encoding="utf-8")
    page = chromium.open(tmp_path / "card.html", width=width, dark=dark)
    assert page.evaluate("document.querySelector('h1').innerText") == "gray 17"
    assert "Not blessed: accuracy 0.1 does not reach 0.5" in page.evaluate("document.body.innerText")
    assert 'class "0" <b>&, \u2068قطة\u2069.' in page.evaluate("document.body.innerText")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.said, page.requests) == ([], [])


def test_the_card_shows_the_test_split_first_and_says_what_chose_by_the_evaluation_split(evaluate):
    content = evaluate(3, 20).content
    tested = headline(evaluate(3, 7, noise=0.2).predictions)
    card, page = model_card(content | {"test": tested}, RUN, "17")
    first, second = card.index("the 21 images of the test split. They were held out"), card.index("60 images of the")
    assert first < second
    assert "early stopping, a search and the thresholds use them" in card[second:]
    accuracy = next(one for one in tested["metrics"] if one["name"] == "accuracy")
    assert f"| accuracy | {accuracy['value']:.4f} |" in card[first:second]
    assert page.count("<table>") == 4


@pytest.mark.parametrize(
    ("channels", "taken"),
    [
        (3, "JPEG, PNG or 24-bit BMP files, or arrays with 3 channels, of any size, resized to 8 × 8 pixels"),
        (1, "JPEG, PNG or 24-bit BMP files, or arrays with 1 channel, of any size, resized to 8 × 8 pixels"),
        (5, "arrays with 5 channels, of any size, resized to 8 × 8 pixels"),
    ],
)
def test_the_card_names_the_images_that_the_model_takes(evaluate, channels, taken):
    content = evaluate(2, 20).content
    network = content["network"] | {"input": [8, 8, channels]}
    card, _ = model_card(content | {"network": network}, RUN, "17")
    assert f"| input | {taken} |" in card
