"""Values from data and configuration stay text on every page, and no policy blocks our own scripts and styles."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from efficientmixnet.components.report.html_page import policy
from efficientmixnet.components.report.model_card import code, model_card, text
from efficientmixnet.components.report.page import render, render_comparison

ATTACK = "x`</title></style></svg></script><script>pwned=1</script>\"'><img src=x onerror=pwned=1>``[a](javascript:b)"
CONTROLS = "\x1b\x00\u202e"
SECRET = "https://me:HUSH@web/?sig=HUSH"  # noqa: S105
HOSTILE = f"{ATTACK}\n\n# <b>{CONTROLS}{SECRET}"
RUN = {
    "started": HOSTILE,
    "run": HOSTILE,
    "pushed_model": HOSTILE,
    "revision": HOSTILE,
    "versions": {HOSTILE: HOSTILE},
    "seconds": {HOSTILE: 1.0},
    "elapsed": None,
    "costs": {HOSTILE: 1.0},
    "currency": HOSTILE,
    "search": {"trials": 2, "objective": HOSTILE, "best": 0.5, "values": {HOSTILE: HOSTILE}},
    "cached": [HOSTILE],
}
NAMED_BY_US = ("metrics", "curves", "cells", "confusion")
KEYS = ("labels", "splits", "roc", "precision_recall")  # their keys come from the data


def _hostile(value: Any, number: int = 0) -> Any:
    if isinstance(value, str):
        return value if value.startswith("data:image/") else HOSTILE
    if isinstance(value, dict):
        return {
            key: inner
            if key in NAMED_BY_US
            else {f"{HOSTILE}{one}": _hostile(two) for one, two in inner.items()}
            if key in KEYS
            else _hostile(inner)
            for key, inner in value.items()
        }
    return [_hostile(one) for one in value] if isinstance(value, (list, tuple)) else value


@pytest.fixture(scope="module")
def content(evaluate) -> dict[str, Any]:
    hostile = _hostile(evaluate(2, 20, baseline=True).content)
    hostile["network"] |= {"input": [32, 32, 3]}
    hostile["config"] |= {"further": {HOSTILE: HOSTILE}}
    return hostile


@pytest.fixture(scope="module")
def pages(content) -> dict[str, str]:
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    curves = {"accuracy": {"validation": [(1, 0.5)]}}
    return {
        "report": render(content, RUN),
        "card": model_card(content, RUN, HOSTILE)[1],
        "comparison": render_comparison(
            names=[HOSTILE, "b"],
            states=[HOSTILE, "b"],
            metrics={"accuracy": [interval, None]},
            test_metrics={"accuracy": [None, interval]},
            differences={f"{HOSTILE}.{HOSTILE}": [HOSTILE, "b"]},
            against_first=[HOSTILE],
            best={"accuracy": 0},
            curves=[curves, curves],
        ),
    }


class _Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))


@pytest.mark.parametrize("name", ["report", "card", "comparison"])
def test_no_value_becomes_an_element_an_attribute_or_a_link(pages, name):
    elements = _Elements(pages[name]).seen
    assert [tag for tag, _ in elements].count("script") == {"report": 2}.get(name, 0)
    for tag, attributes in elements:
        assert not {one for one in attributes if one.startswith("on") or one == "style"}, (tag, attributes)
        for one in ("src", "href"):
            assert (attributes.get(one) or "#").startswith(("#", "data:")), attributes
    assert not set(CONTROLS) & set(pages[name])


@pytest.mark.parametrize("name", ["report", "card", "comparison"])
def test_the_policy_allows_only_the_scripts_and_styles_of_the_page(pages, name):
    (allowed,) = [one["content"] for tag, one in _Elements(pages[name]).seen if tag == "meta" and "http-equiv" in one]
    assert "unsafe" not in allowed
    assert allowed.startswith("default-src 'none'; base-uri 'none'; form-action 'none'")
    digests = re.findall(r"'(sha256-[^']+)'", allowed)
    style, script = (
        re.search(r"<style>(.*?)</style>", pages[name], re.S),
        re.search(r"<script>(.*?)</script>", pages[name], re.S),
    )
    expected = [policy([found[1]]).partition("'sha256-")[2].partition("'")[0] for found in (script, style) if found]
    assert digests == [f"sha256-{one}" for one in expected]


@pytest.mark.parametrize("name", ["report", "card", "comparison"])
def test_a_browser_runs_nothing_from_the_values_and_blocks_nothing_of_ours(pages, name, chromium, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(pages[name], encoding="utf-8")
    page = chromium.open(file)
    page.evaluate("[...document.querySelectorAll('[data-cell], .sortable th')].forEach((one) => one.click())")
    assert page.evaluate("typeof pwned") == "undefined"
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    assert ATTACK in page.evaluate("document.body.innerText")
    assert (page.said, page.requests) == ([], [])
    if name == "report":
        assert page.evaluate("document.querySelectorAll('#matrix td').length") == 4
        assert page.evaluate("document.querySelector('#by-class i').offsetWidth") > 10


def test_secrets_are_masked_on_every_page(pages, content):
    for page in (*pages.values(), model_card(content, RUN, "1")[0]):
        assert "HUSH" not in page


def test_the_markdown_card_holds_no_html_no_link_and_no_heading_of_a_value(content):
    card, _ = model_card(content, RUN, HOSTILE)
    headings = [line for line in card.splitlines() if line.startswith("#")]
    assert len(headings) == 1 + 5
    outside_code = re.sub(r"(`+) .*? \1(?!`)", "", card)
    assert "<" not in outside_code
    assert not re.search(r"(?<!\\)\]\(", outside_code)
    assert not set(CONTROLS) & set(card)


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("- no list", "&#45; no list"),
        ("12. no list", "&#49;2. no list"),
        ("~~no line~~", "&#126;&#126;no line&#126;&#126;"),
        ("a\n\n# no heading", r"a&#92;n&#92;n\# no heading"),
        ("1.5 and -2", "1.5 and -2"),
    ],
)
def test_text_cannot_begin_anything_in_markdown(value, escaped):
    assert text(value) == escaped


@pytest.mark.parametrize(
    ("value", "span"), [("/data/x", "`/data/x`"), ("/a`b", "`` /a`b ``"), ("a``b`", "``` a``b` ```")]
)
def test_a_code_span_holds_every_path(value, span):
    assert code(value) == span
