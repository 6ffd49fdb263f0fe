"""The page, as a browser shows it: it loads nothing, says what it should, and stays small."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from efficientmixnet.components.report.page import render

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
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
    "cached": ["Pusher"],
}
CLICK = "<script>document.querySelector('td[data-cell], tr[data-cell]').click()</script>"


@pytest.fixture(scope="module", params=[(2, 20), (10, 30), (1000, 3)], ids=lambda shape: f"{shape[0]} classes")
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


def test_the_verdict_stands_on_top_with_each_reason(page):
    html, _ = page
    header = html[html.index("<header") : html.index("</header>")]
    assert "Not blessed" in header
    assert re.findall(r"<li>(.*?)</li>", header) == ["accuracy 0.1 does not reach 0.5", "loss 3 is above 2"]


def test_labels_stay_text(page):
    html, _ = page
    assert 'class "0" <b>&' not in html
    assert "class &#34;0&#34; &lt;b&gt;&amp;" in html


def test_with_a_price_each_component_costs_something_and_the_run_their_sum(page):
    """A cent apiece at most, so four digits; from ten on, two."""
    _, content = page
    cheap = render(content, RUN | {"costs": {"Trainer": 0.0347, "Pusher": 0.0003}, "currency": "EUR"})
    table = cheap[cheap.index('id="time"') : cheap.index("</table>", cheap.index('id="time"'))]
    assert re.findall(r">([\w.]+)</t[dh]>", table) == [
        *("component", "seconds", "EUR"),
        *("Trainer", "12.5", "0.0347"),
        *("Pusher", "0.1", "0.0003"),
        *("together", "12.6", "0.0350"),
    ]
    assert ">900.25<" in render(content, RUN | {"costs": {"Trainer": 900.245, "Pusher": 0.005}, "currency": "EUR"})


def test_before_the_run_has_ended_the_page_does_without_it(page):
    _, content = page
    assert "Trainer" not in render(content)


@pytest.mark.skipif(not BROWSER, reason="no browser is installed")
def test_a_browser_shows_it_without_errors_and_without_the_network(page, tmp_path):
    html, content = page
    file = tmp_path / "report.html"
    # The policy in the page forbids every request, so one would be an error on the console.
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    file.write_text(html.replace("</body>", f"{CLICK}</body>"), encoding="utf-8")
    dom, console = _browse(file, tmp_path)
    assert "CONSOLE" not in console, console
    seen = elements(dom)
    cells = [attributes for tag, attributes in seen if tag == "td" and "data-cell" in attributes]
    counted = [count for row in content["confusion"] or [] for count in row if count]
    assert len(cells) == len(counted)
    shown = dom[dom.index('id="cell"') : dom.index("</section>", dom.index('id="cell"'))]
    assert "<img" in shown
    assert "pictures" in shown or "1 picture" in shown
    assert dom.count("<figure") >= len(content["mistakes"])


def _browse(file: Path, folder: Path) -> tuple[str, str]:
    """The page's elements once its script has run, and what the browser said."""
    command = [
        *(str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--enable-logging=stderr", f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=3000"),
        *("--dump-dom", file.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    return done.stdout, done.stderr
