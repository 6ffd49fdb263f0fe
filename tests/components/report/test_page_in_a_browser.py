"""The page in a browser shows the content, follows clicks and keys, and loads nothing."""

import pytest
from report_run import RUN

from efficientmixnet.components.report.page import render


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


def test_the_images_of_each_class_are_counted_by_split(opened):
    shown, content, _ = opened
    header = shown.evaluate("[...document.querySelectorAll('#histogram thead th')].map((one) => one.innerText)")
    assert header == ["class", "train", "eval"]
    rows = shown.evaluate(
        "[...document.querySelectorAll('#histogram tbody tr')].map((row) => [...row.cells].map((one) => one.innerText))"
    )
    assert rows == [[label, str(counts["train"]), str(counts["eval"])] for label, counts in content["labels"].items()]


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
