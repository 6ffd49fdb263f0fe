"""The ablation goes on where the last call ended."""

import json
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

SAME = {"batch": 500, "decay": 0.05, "precision": "float32", "short": False, "images": None}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    from ablation_candidates import PLAIN

    def line(part: str, rate: float, accuracy: float, **others: Any) -> str:
        budget = 10 if part == "search" else 40
        which = {"part": part, "rate": rate, "seed": 0, "budget": budget, "accuracy": accuracy}
        return json.dumps({**SAME, **asdict(PLAIN), **which, **others}) + "\n"

    h200, other_card = {"card": "H200", "revision": "a1"}, {"card": "H100", "revision": "a1"}
    file = tmp_path / "study.jsonl"
    file.write_text(
        line("search", 0.002, 0.8, **h200)
        + line("search", 0.004, 0.9, **h200)
        + line("search", 0.008, 0.85, **other_card)
        + line("search", 0.016, 0.7, **h200 | {"revision": "b2"})
        + line("final", 0.004, 0.94, **h200)
        + line("final", 0.004, 0.5, **h200 | {"best": True})
    )
    return file


def _study(results: Path, **others: Any) -> Any:
    from ablation import Study

    same = {"results": results, "budget": 40, "search_budget": 10, "minutes": 1.0, "best": False, "card": None}
    return Study(Namespace(**{**SAME, **same, "revision": None, **others}))


def test_only_runs_of_the_same_card_and_revision_count(results: Path) -> None:
    from ablation_candidates import PLAIN

    study = _study(results, card="H200", revision="a1")
    assert [line["rate"] for line in study.lines(PLAIN, "search")] == [0.002, 0.004]
    assert [line["rate"] for line in _study(results, card="H100", revision="a1").lines(PLAIN, "search")] == [0.008]
    assert _study(results, card="H200", revision="c3").best_rate(PLAIN) is None


def test_a_search_goes_on_beyond_the_last_rate_if_that_was_the_best(results: Path) -> None:
    from ablation_candidates import PLAIN

    assert _study(results, card="H200", revision="a1").next_rate(PLAIN) == 0.008
    assert _study(results, card="H100", revision="a1").next_rate(PLAIN) == 0.004
    assert _study(results).next_rate(PLAIN) is None  # 0.002 and 0.016 are worse than 0.004


def test_accuracies_are_printed_with_their_operations(results: Path) -> None:
    from ablation import compared

    assert compared(1.55e15) == "1.55e+15 operations, 0.50 of airbench96's"
