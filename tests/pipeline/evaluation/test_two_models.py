"""Two models are compared on the images whose label both know."""

import pytest


def test_two_models_are_compared_on_the_same_images(call, images, output):
    result, found = call(images, "--against", output / "other")
    assert result.exit_code == 0, result.output
    # The other model predicts dark for every image.
    assert found["metrics"]["accuracy"]["difference"]["value"] == 7 / 8 - 4 / 8
    test = found["mcnemar"]
    assert (test["images"], test["only_model"], test["only_against"]) == (8, 4, 1)
    assert test["p_value"] == pytest.approx(2 * (1 + 5) / 2**5)  # the exact test, by hand
    assert "only MODEL 4" in result.output


def test_images_are_measured_only_if_both_models_know_their_label(call, images, output):
    _, found = call(images, "--against", output / "foreign")
    assert found["images"] == 4
    assert found["unknown_labels"] == {"model": {}, "against": {"dark": 4}}


def test_a_further_class_counts_the_same_in_both_roles(call, images, output):
    model = output / "richer" / "1"
    _, alone = call(images, model=model)
    _, compared = call(images, "--against", model)
    values = {name: one["value"] for name, one in alone["metrics"].items()}
    assert values["macro_f1"] == pytest.approx((0 + 8 / 9 + 2 * 2 / (4 + 2)) / 3)  # of bird, bright, dark
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        ours = compared["metrics"][name]
        assert ours["value"] - ours["difference"]["value"] == pytest.approx(values[name])


def test_models_without_a_common_label_are_refused(call, images, output):
    result, _ = call(images, "--against", output / "stranger")
    assert result.exit_code == 2
    assert "has no label in common with" in result.output
    assert "The labels are lion, zebra, and bright, dark" in result.output
