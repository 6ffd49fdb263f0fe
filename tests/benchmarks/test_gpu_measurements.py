"""The GPU study measures all candidates, the most interesting ones first."""

from pathlib import Path
from typing import Any


def _given(small: bool = False) -> Any:
    from gpu_measurements import Given

    return Given(Path("carried"), Path("study.jsonl"), 40, small, ("--card", "H200", "--revision", "a1"))


def test_every_candidate_is_measured_and_combinations_come_after_what_they_combine() -> None:
    from ablation_candidates import BEST, CANDIDATES, COMBINED
    from gpu_measurements import study

    found = [*study(_given())]
    waves = [one.wave for one in found]
    assert waves == sorted(waves)
    assert len({one.key for one in found}) == len(found)
    names = [one.candidate for one in found]
    assert names[:2] == [BEST, next(iter(CANDIDATES))]
    assert {*names} - {BEST} == {*CANDIDATES, f"{COMBINED} (7)", f"{COMBINED} (9)"}
    for one in found:
        if one.candidate.startswith(COMBINED):
            assert all(other.wave != one.wave for other in found if other is not one)


def test_runs_share_a_program_only_where_that_is_faster() -> None:
    from gpu_measurements import SEPARATE, TOGETHER
    from on_gpu import faster_together

    def lines(rate: float) -> list[dict[str, Any]]:
        separate = {"part": "seeds", "candidate": SEPARATE, "value": 100.0, "together": 1}
        return [separate, {"part": "seeds", "candidate": TOGETHER, "value": rate, "together": 4}]

    assert faster_together(lines(150.0)) == 4
    assert faster_together(lines(105.0)) == 1
    assert faster_together(lines(150.0)[1:]) == 1
    assert faster_together([]) == 1
