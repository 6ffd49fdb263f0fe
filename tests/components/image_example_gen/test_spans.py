"""Patterns of spans and versions."""

from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.spans import Span, find_span, has_spans, with_span
from efficientmixnet.modules.exceptions import BadInput


def _folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name / "cat").mkdir(parents=True)


def test_a_plain_path_has_no_spans() -> None:
    assert not has_spans("data/{other}/images")
    assert has_spans("data/{SPAN}")


def test_the_latest_span_has_the_largest_number_not_the_last_name(tmp_path: Path) -> None:
    _folders(tmp_path, "span-9", "span-10", "span-ten", "other-11")
    assert find_span(f"{tmp_path}/span-{{SPAN}}", None) == Span(10, 0, f"{tmp_path}/span-10")
    assert find_span(f"{tmp_path}/span-{{SPAN}}/", 9) == Span(9, 0, f"{tmp_path}/span-9")


def test_the_highest_version_of_a_span_is_taken(tmp_path: Path) -> None:
    _folders(tmp_path, "1/v1", "2/v1", "2/v3", "2/v10")
    assert find_span(f"{tmp_path}/{{SPAN}}/v{{VERSION}}", None) == Span(2, 10, f"{tmp_path}/2/v10")


def test_the_span_of_a_date_is_the_number_of_days_since_1970(tmp_path: Path) -> None:
    _folders(tmp_path, "1970-01-11", "2024-02-30", "1970-01-02")
    assert find_span(f"{tmp_path}/{{YYYY}}-{{MM}}-{{DD}}", None).number == 10


def test_a_span_with_a_width_matches_that_many_digits_only(tmp_path: Path) -> None:
    _folders(tmp_path, "001", "0002")
    assert find_span(f"{tmp_path}/{{SPAN:3}}", None).number == 1


def test_text_around_the_braces_is_matched_literally(tmp_path: Path) -> None:
    _folders(tmp_path, "a[1].b/1", "a1xb/2")
    assert find_span(f"{tmp_path}/a[1].b/{{SPAN}}", None).number == 1


@pytest.mark.parametrize(
    ("pattern", "number", "error"),
    [
        ("x{SPAN}", None, "no file or folder matches .*x{SPAN}"),
        ("{SPAN}", 7, "data.layout.span: there is no span 7 in .*. There are 1, 2"),
        ("{VERSION}", None, "must contain {SPAN}, or {YYYY}, {MM} and {DD}"),
        ("{SPAN}/{SPAN}", None, "contains the same braces twice"),
    ],
)
def test_a_missing_span_or_wrong_pattern_is_refused(
    tmp_path: Path, pattern: str, number: int | None, error: str
) -> None:
    _folders(tmp_path, "1", "2")
    with pytest.raises(BadInput, match=error):
        find_span(f"{tmp_path}/{pattern}", number)


@pytest.mark.parametrize(
    ("data", "manifest", "path"),
    [
        ("{SPAN}/v{VERSION}/img", "{SPAN}/v{VERSION}/list.csv", "2/v1/img"),  # version 2 has no manifest
        ("images-{SPAN}", "{SPAN}/v{VERSION}/list.csv", "images-2"),
        ("{SPAN}/v{VERSION}/img", "list-{SPAN}.csv", "2/v2/img"),
        ("images", "list-{SPAN}.csv", "images"),
    ],
)
def test_images_and_manifest_are_of_one_span(tmp_path: Path, data: str, manifest: str, path: str) -> None:
    _folders(tmp_path, "1/v1/img", "2/v1/img", "2/v2/img", "3/v1/img", "images", "images-1", "images-2", "images-3")
    for name in ("1/v1/list.csv", "2/v1/list.csv", "list-1.csv", "list-2.csv"):
        (tmp_path / name).touch()
    found, listed, span = with_span(f"{tmp_path}/{data}", f"{tmp_path}/{manifest}", None)
    assert found == f"{tmp_path}/{path}"
    assert span is not None
    assert (listed, span.number) == (span.path, 2)


def test_images_that_lack_the_span_of_the_manifest_are_refused(tmp_path: Path) -> None:
    _folders(tmp_path, "1")
    (tmp_path / "list-2.csv").touch()
    with pytest.raises(
        BadInput, match=r"^data\.images: no file or folder matches .* for the span 2, which data\.manifest"
    ):
        with_span(f"{tmp_path}/{{SPAN}}", f"{tmp_path}/list-{{SPAN}}.csv", None)


def test_paths_without_spans_stay() -> None:
    assert with_span("images", None, None) == ("images", None, None)
    assert with_span("images", "list.csv", None) == ("images", "list.csv", None)
