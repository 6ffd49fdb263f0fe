"""The page fits the screen, and its text can be read: colors, captions, navigation and tables."""

import re

from report_run import RUN

from efficientmixnet.components.report.page import render

LONG = "03111_Animalia_Chordata_Aves_Passeriformes_Icteridae_Sturnella_neglecta"


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


def contrast(one: str, other: str) -> float:
    """Returns the contrast of two colors, as WCAG 2 defines it."""

    def luminance(color: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", color)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


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
