"""The page in a browser: it loads nothing, shows the content, and is small."""

import base64
import csv
import io
import re
from html.parser import HTMLParser

import pytest

from efficientmixnet.components.report.content import headline
from efficientmixnet.components.report.page import render

MOST_BYTES = 5_000_000
RUN = {
    "started": "2020-01-02T03:04:05+00:00",
    "run": "/runs/1",
    "pushed_model": None,
    "revision": "abc",
    "versions": {"keras": "3"},
    "seconds": {"Trainer": 12.5, "Pusher": 0.1},
    "costs": {},
    "currency": None,
    "search": None,
    "cached": ["Pusher"],
}


@pytest.fixture(scope="module", params=[(2, 20), (10, 30), (1000, 20)], ids=lambda shape: f"{shape[0]} classes")
def page(request, evaluate):
    evaluated = evaluate(*request.param, baseline=request.param[0] == 10)
    return render(evaluated.content, RUN), evaluated.content


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


@pytest.fixture(scope="module", params=[(1280, False), (400, True)], ids=["desktop, light", "phone, dark"])
def opened(request, page, chromium, tmp_path_factory):
    """The page in a browser, with its content."""
    html, content = page
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(html, encoding="utf-8")
    width, dark = request.param
    return chromium.open(file, width=width, dark=dark), content, width


def test_the_verdict_the_matrix_and_the_images_are_shown(opened):
    shown, content, _ = opened
    assert shown.evaluate("document.querySelector('h1').innerText") == "✗ Not blessed"
    cells = [count for row in content["confusion"] or [] for count in row if count]
    assert shown.evaluate("document.querySelectorAll('#matrix td[data-cell]').length") == len(cells)
    assert shown.evaluate("document.querySelectorAll('#confusions tr[data-cell]').length") == len(
        content["top_confusions"]
    )
    widths = shown.evaluate(
        """Promise.all([...document.images].map(async (image) => {
            image.loading = "eager";
            await image.decode();
            return image.naturalWidth;
        }))"""
    )
    assert len(widths) >= 2 * len(content["mistakes"])  # each with an activation map
    assert min(widths) > 0


def test_nothing_is_wider_than_the_screen(opened):
    shown, _, width = opened
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_colors_follow_the_system_and_have_enough_contrast(opened):
    """WCAG requires a contrast of 4.5 between text and background."""
    shown, _, width = opened
    ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if width > 1000 else "rgb(20, 23, 26)")
    for place in ("body", "h1", ".pipeline", "thead th", "nav a", ".predicted", ".warning", ".top_labels span"):
        text, behind = shown.evaluate(
            f"""(() => {{
                let one = document.querySelector("{place}");
                const text = getComputedStyle(one).color;
                const clear = (place) => getComputedStyle(place).backgroundColor === "rgba(0, 0, 0, 0)";
                while (clear(one)) one = one.parentElement;
                return [text, getComputedStyle(one).backgroundColor];
            }})()"""
        )
        assert contrast(text, behind) >= 4.5, (place, text, behind)


def test_a_click_shows_the_images_of_a_cell(opened):
    shown, content, _ = opened
    label, predicted, count = content["top_confusions"][0]
    shown.evaluate(f"document.querySelector('[data-cell=\"{label},{predicted}\"]').click()")
    labels = [f"\u2068{content['classes'][one]['label']}\u2069" for one in (label, predicted)]
    heading = shown.evaluate("document.querySelector('#cell h3').innerText")
    assert heading.startswith(f"{labels[0]}, predicted as {labels[1]}: ")
    assert shown.evaluate("document.querySelectorAll('#cell img').length") == min(count, 6)


def test_on_a_phone_the_images_of_a_cell_leave_the_matrix_in_view(opened):
    shown, content, width = opened
    label, predicted, _ = content["top_confusions"][0]
    cell = f"document.querySelector('[data-cell=\"{label},{predicted}\"]')"
    shown.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")  # after earlier tests
    if width < 600:
        shown.evaluate(f"{cell}.scrollIntoView({{ block: 'center', inline: 'center' }})")
        shown.tap(cell)
        shown.wait_for("document.getElementById('cell').childElementCount > 0")
    else:
        shown.evaluate(f"{cell}.click()")
    both = f"[{cell}, document.getElementById('cell')]"
    place, images = shown.evaluate(f"{both}.map((one) => one.getBoundingClientRect().toJSON())")
    assert 0 <= place["top"] < place["bottom"] <= 901
    if width < 600:
        assert place["bottom"] <= images["top"]
        assert images["bottom"] == pytest.approx(900, abs=1)
    shown.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
    assert shown.evaluate("document.getElementById('cell').childElementCount") == 0
    assert shown.evaluate(f"document.activeElement === {cell}")


def test_a_cell_without_images_cannot_be_chosen(evaluate, chromium, tmp_path):
    content = evaluate(2, 20).content
    (label, predicted, _), *_ = content["top_confusions"]
    cells = {cell: inside for cell, inside in content["cells"].items() if cell != f"{label},{predicted}"}
    (tmp_path / "report.html").write_text(render(content | {"cells": cells}, RUN), encoding="utf-8")
    shown = chromium.open(tmp_path / "report.html")
    places = "[...document.querySelectorAll('#matrix td[data-cell][tabindex]')].map((one) => one.dataset.cell)"
    assert set(shown.evaluate(places)) == {cell for cell, inside in cells.items() if inside}
    assert shown.evaluate("document.querySelectorAll('#matrix td[tabindex]').length") == len(shown.evaluate(places))


def test_file_names_are_shown_and_a_button_copies_them(opened):
    shown, content, _ = opened
    name = content["images"][str(content["mistakes"][0])]["name"]
    figure = "document.querySelector('#mistakes figure')"
    assert shown.evaluate(f"{figure}.querySelector('code').innerText") == name
    shown.evaluate(f"{figure}.querySelector('.copy').click()")
    assert shown.evaluate("String(getSelection())") == name


def test_every_axis_has_a_caption(opened):
    shown, _, _ = opened
    charts = shown.evaluate(
        """[...document.querySelectorAll("svg.chart[role=img]")].map((chart) =>
            [...chart.querySelectorAll("text")].map((one) => one.textContent).filter((one) => /[a-z]{3}/.test(one)))"""
    )
    assert charts == [
        ["confidence", "accuracy"],
        ["false positive rate", "true positive rate"],
        ["recall", "precision"],
        ["epoch", "accuracy"],
    ]


def test_the_navigation_leads_to_every_section(opened):
    shown, _, _ = opened
    sections, links = shown.evaluate(
        """[[...document.querySelectorAll("section")].map((one) => `#${one.id}`),
            [...document.querySelectorAll("nav a")].map((one) => one.getAttribute("href"))]"""
    )
    assert links == sections


def test_the_images_of_each_class_are_counted_by_split(opened):
    shown, content, _ = opened
    header = shown.evaluate("[...document.querySelectorAll('#histogram thead th')].map((one) => one.innerText)")
    assert header == ["class", "train", "eval"]
    rows = shown.evaluate(
        "[...document.querySelectorAll('#histogram tbody tr')].map((row) => [...row.cells].map((one) => one.innerText))"
    )
    assert rows == [[label, str(counts["train"]), str(counts["eval"])] for label, counts in content["labels"].items()]


def test_a_wide_screen_has_sections_side_by_side(page, chromium, tmp_path):
    html, _ = page
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    shown = chromium.open(tmp_path / "report.html", width=1800)
    edges = shown.evaluate(
        """["classes", "calibration", "data", "network"].map((id) => {
            const { left, top, right } = document.getElementById(id).getBoundingClientRect();
            return { left, top, right };
        })"""
    )
    for one, other in (edges[:2], edges[2:]):
        assert one["top"] == other["top"]
        assert other["right"] > 1200
    assert (shown.said, shown.requests) == ([], [])


LONG = "03111_Animalia_Chordata_Aves_Passeriformes_Icteridae_Sturnella_neglecta"


def _on_a_phone(chromium, folder, content):
    (folder / "report.html").write_text(render(content, RUN), encoding="utf-8")
    return chromium.open(folder / "report.html", width=400)


def test_names_and_heads_of_a_table_stay_above_its_bars(page, chromium, tmp_path):
    shown = _on_a_phone(chromium, tmp_path, page[1])
    overlapping, name_above, head_above = shown.evaluate(
        """(() => {
            const table = document.getElementById("by-class");
            const around = table.parentElement;
            around.scrollIntoView({ block: "center" });
            around.scrollLeft = 150;
            const row = table.tBodies[0].rows[0];
            const [name, bar] = [row.cells[0], row.querySelector(".bar")].map((one) => one.getBoundingClientRect());
            const [left, right] = [Math.max(name.left, bar.left), Math.min(name.right, bar.right)];
            const above = document.elementFromPoint((left + right) / 2, name.top + name.height / 2);
            around.scrollTop = 60;
            const { x, y } = around.getBoundingClientRect();
            const top = document.elementFromPoint(x + 10, y + 10);
            return [left < right, above === row.cells[0], top.closest("thead") !== null];
        })()"""
    )
    assert overlapping
    assert name_above
    assert head_above


def test_a_long_name_takes_at_most_half_of_a_phone(page, chromium, tmp_path):
    classes = [one | {"label": LONG} for one in page[1]["classes"]]
    labels = {LONG: {"train": 3, "eval": 2}}
    shown = _on_a_phone(chromium, tmp_path, page[1] | {"classes": classes, "labels": labels})
    for place in ("#by-class tbody th", "#histogram tbody th", "#confusions td"):
        name, table, inside = shown.evaluate(
            f"""(() => {{
                const name = document.querySelector("{place}");
                return [name.offsetWidth, name.closest(".scroll").clientWidth, name.scrollWidth];
            }})()"""
        )
        assert inside <= name <= table / 2, place


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_table_is_sorted_with_the_keyboard(opened, key):
    shown, _, _ = opened
    shown.evaluate("document.querySelectorAll('#by-class thead th')[1].focus({ preventScroll: true })")
    before = shown.evaluate("scrollY")
    shown.call("Input.dispatchKeyEvent", type="keyDown", key=key, text="\r" if key == "Enter" else " ")
    assert shown.evaluate("document.querySelector('#by-class th[aria-sort]').cellIndex") == 1
    assert shown.evaluate("scrollY") == before


def test_a_click_sorts_a_table_and_the_enter_key_reverses_the_order(opened):
    shown, content, _ = opened
    recalls = [one["recall"]["value"] for one in content["classes"]]
    header = "document.querySelectorAll('#by-class thead th')[2]"
    enter = "new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })"
    for action, extreme in (("click()", max(recalls)), (f"dispatchEvent({enter})", min(recalls))):
        shown.evaluate(f"{header}.focus() || {header}.{action}")
        assert shown.evaluate("document.activeElement.innerText.trim()").startswith("recall")
        first = shown.evaluate("document.querySelector('#by-class tbody tr').cells[2].innerText.trim()")
        assert first == f"{100 * extreme:.1f}\u00a0%"


def test_the_search_finds_a_class_by_its_name(opened):
    shown, _, _ = opened
    shown.evaluate(
        """(() => {
            const find = document.getElementById("find");
            find.value = "قط";
            find.dispatchEvent(new Event("input"));
        })()"""
    )
    rows = "[...document.querySelectorAll('#by-class tbody tr')].filter((row) => !row.hidden)"
    assert shown.evaluate(f"{rows}.map((row) => row.cells[0].innerText)") == ["قطة"]


def test_there_are_no_console_messages_and_no_network_requests(opened):
    """The page's policy also forbids every request. This test is the last, after all clicks."""
    shown, _, _ = opened
    assert (shown.said, shown.requests) == ([], [])
    assert "default-src 'none'" in shown.evaluate("document.querySelector('meta[http-equiv]').content")


def contrast(one: str, other: str) -> float:
    """Returns the contrast of two colors, as WCAG 2 defines it."""

    def luminance(color: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", color)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


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


def test_the_accuracy_of_a_guess_is_explained(evaluate):
    """Of 20 images, a guess between two classes gets 15 or more right with probability 0.021, and 14 with 0.058."""
    page = render(evaluate(2, 10).content, RUN)
    assert "has an accuracy of 0.5000 on the evaluation split" in page
    assert "A guess reaches 0.7500 or more with a probability of at most 5 %" in page


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
