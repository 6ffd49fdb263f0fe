"""The page is one small file with the content of the report and what is known of the run."""

import base64
import csv
import io
import re
from html.parser import HTMLParser

from report_run import RUN

from efficientmixnet.components.report.content import headline
from efficientmixnet.components.report.page import render

MOST_BYTES = 5_000_000


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(html)
    return parser.seen


def test_the_page_is_one_small_file(page):
    html, _ = page
    assert len(html.encode()) < MOST_BYTES
    for tag, attributes in elements(html):
        assert tag not in ("iframe", "object")
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), attributes


def test_the_verdict_and_its_reasons_are_in_the_header(page):
    html, _ = page
    header = html[html.index("<header") : html.index("</header>")]
    assert "Not blessed" in header
    assert re.findall(r"<li>(.*?)</li>", header) == ["accuracy 0.1 does not reach 0.5", "loss 3 is above 2"]


def test_labels_are_escaped(page):
    html, _ = page
    assert 'class "0" <b>&' not in html
    assert "class &#34;0&#34; &lt;b&gt;&amp;" in html


def test_the_link_saves_the_relabel_list(page):
    html, content = page
    (link,) = [attributes for tag, attributes in elements(html) if tag == "a" and "download" in attributes]
    assert link["download"] == "relabel.csv"
    saved = base64.b64decode(link["href"].removeprefix("data:text/csv;base64,")).decode()
    rows = list(csv.reader(io.StringIO(saved)))
    assert rows[0] == ["path", "label", "predicted", "probability", "reason"]
    assert [row[:3] for row in rows[1:]] == [row[:3] for row in content["relabel"]]


def test_the_data_section_links_the_inspection_page_or_says_how_to_write_it(page):
    _, content = page
    assert '<a href="inspection.html">' in render(content, RUN, "inspection.html")
    command = "efficientmixnet inspect /runs/1/config.yaml --page /runs/1/inspection.html"
    assert command in render(content, RUN)
    quoted = "efficientmixnet inspect &#39;/my runs/1/config.yaml&#39; --page &#39;/my runs/1/inspection.html&#39;"
    assert quoted in render(content, RUN | {"run": "/my runs/1"})


def test_a_report_of_an_earlier_version_has_no_relabel_list_and_no_intervals_of_bins(page):
    _, content = page
    reliability = {name: content["reliability"][name] for name in ("images", "confidence", "accuracy")}
    earlier = {key: value for key, value in content.items() if key != "relabel"} | {"reliability": reliability}
    assert "relabel.csv" not in render(earlier, RUN)


def test_with_a_price_the_page_shows_the_cost_of_each_component_and_the_total(page):
    """Small costs have four digits, and costs from 10 on have two."""
    _, content = page
    cheap = render(content, RUN | {"costs": {"Trainer": 0.0347, "Pusher": 0.0003}, "currency": "EUR"})
    table = cheap[cheap.index('id="time"') : cheap.index("</table>", cheap.index('id="time"'))]
    assert re.findall(r">([\w.]+)</t[dh]>", table) == [
        *("component", "seconds", "EUR"),
        *("Trainer", "12.5", "0.0347"),
        *("Pusher", "0.1", "0.0003"),
        *("total", "12.6", "0.0350"),
    ]
    together = render(content, RUN | {"costs": {"Trainer": 0.04, "Pusher": 0.02}, "elapsed": 6.3, "currency": "EUR"})
    assert '>from start to end</th><td class="n">6.3</td><td class="n">0.0300</td>' in together
    assert ">900.25<" in render(content, RUN | {"costs": {"Trainer": 900.245, "Pusher": 0.005}, "currency": "EUR"})


def test_the_result_of_a_search_is_shown_with_the_training(page):
    html, content = page
    search = {"trials": 12, "objective": "val_accuracy", "best": 0.98, "values": {"training.learning_rate": 0.0125}}
    searched = render(content, RUN | {"search": search})
    assert "The best of 12 trials, with val_accuracy 0.9800" in searched
    assert "<code>training.learning_rate</code></th><td>0.0125</td>" in searched
    assert "trials, with" not in html


def test_before_the_end_of_the_run_the_page_has_no_times(page):
    _, content = page
    assert "Trainer" not in render(content)


def test_the_test_split_is_the_headline(evaluate):
    evaluated = evaluate(4, 20)
    tested = headline(evaluate(4, 5, noise=0.2).predictions)
    page = render(evaluated.content | {"test": tested}, RUN)
    accuracy = next(one for one in tested["metrics"] if one["name"] == "accuracy")
    header = page[page.index("<header") : page.index("</header>")]
    assert f"accuracy <b>{accuracy['value']:.4f}</b>" in header
    assert "on 20 held-out images" in header
    section = page[page.index('<section id="metrics"') : page.index('<section id="confusion"')]
    test_split, evaluation_split = section.split("<b>Evaluation split</b>, 80 images")
    assert f">{accuracy['value']:.4f}<" in test_split
    evaluation = next(one for one in evaluated.content["metrics"] if one["name"] == "accuracy")
    assert f">{evaluation['value']:.4f}<" in evaluation_split
    assert accuracy["value"] != evaluation["value"]


def test_a_report_of_an_earlier_version_without_a_test_split_is_rendered(evaluate):
    content = evaluate(2, 20).content
    content.pop("test", None)
    assert "the evaluation split" in render(content, RUN)
