"""A missed limit is one line and exit code 3."""

import pytest


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        (["--threshold", "accuracy=0.9"], "accuracy 0.8750 does not reach 0.9 (evaluation.thresholds.accuracy)"),
        (
            ["--set", "evaluation.slice_thresholds.accuracy=0.8", "--set", "evaluation.min_slice_size=4"],
            "accuracy of label dark (4 images) 0.7500 does not reach 0.8 (evaluation.slice_thresholds.accuracy)",
        ),
    ],
)
def test_a_missed_limit_is_one_line_and_exit_code_3(call, images, limits, line):
    result, found = call(images, *limits)
    assert result.exit_code == 3
    assert [one for one in result.output.splitlines() if one.startswith("missed")] == [f"missed: {line}"]
    assert found["missed"] == [line]


def test_limits_that_are_kept_give_exit_code_0(call, images):
    result, found = call(images, "--threshold", "accuracy=0.8", "--threshold", "loss=9")
    assert result.exit_code == 0
    assert found["kept"][0] == "accuracy 0.8750 reaches 0.8"
    assert found["kept"][1].endswith("stays within 9")


def test_a_tolerance_is_a_limit_only_if_it_is_set(call, images, output):
    worse = output / "other"
    result, _ = call(images, "--against", output, model=worse)
    assert result.exit_code == 0
    result, _ = call(images, "--against", output, "--set", "evaluation.tolerances.accuracy=0.1", model=worse)
    assert result.exit_code == 3
    assert "accuracy 0.5000 is worse than the other model's 0.8750 by more than 0.1" in result.output
