"""The report's content against scikit-learn on the same predictions, and against the inputs."""

import itertools

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics

from efficientmixnet.components.evaluator.measures import Outcomes
from efficientmixnet.components.report.content import measured
from efficientmixnet.components.report.gallery import choose
from efficientmixnet.components.report.predictions import Predictions


@pytest.fixture(scope="module")
def ten(evaluate):
    return evaluate(10, 30, baseline=True)


def test_there_is_a_row_for_each_image_with_its_features(ten):
    assert len(ten.predictions) == 300
    assert sorted(ten.predictions.names.tolist()) == sorted(f"{n}/{p}.png" for n in range(10) for p in range(30))
    assert set(ten.predictions.described["camera"]) == {"left", "right"}
    labels, probabilities = ten.predictions.probabilities(range(10))
    np.testing.assert_array_equal(labels, ten.labels)
    np.testing.assert_allclose(probabilities, ten.probabilities, atol=1e-6)


def test_the_numbers_equal_scikit_learns(ten):
    predicted = ten.probabilities.argmax(axis=1)
    found = {one["name"]: one for one in ten.content["metrics"]}
    assert found["accuracy"]["value"] == pytest.approx(metrics.accuracy_score(ten.labels, predicted), abs=1e-6)
    assert found["macro_f1"]["value"] == pytest.approx(
        metrics.f1_score(ten.labels, predicted, average="macro"), abs=1e-6
    )
    assert found["auc"]["value"] == pytest.approx(
        metrics.roc_auc_score(ten.labels, ten.probabilities, multi_class="ovr"), abs=1e-6
    )
    assert ten.content["confusion"] == metrics.confusion_matrix(ten.labels, predicted).tolist()
    assert all(one["low"] < one["value"] < one["high"] for one in found.values())


def test_the_chart_of_calibration_has_bins_of_as_many_images_with_intervals(ten):
    bins = ten.content["reliability"]
    assert bins["images"] == [30] * 10
    confidence = np.sort(ten.probabilities.max(axis=1))
    np.testing.assert_allclose(bins["confidence"], confidence.reshape(10, 30).mean(axis=1), atol=1e-6)
    rising = np.argsort(ten.probabilities.max(axis=1), kind="stable")
    correct = (ten.probabilities.argmax(axis=1) == ten.labels)[rising]
    np.testing.assert_allclose(bins["accuracy"], correct.reshape(10, 30).mean(axis=1))
    accuracy, z = np.array(bins["accuracy"]), 1.96
    wilson = 2 * z / (1 + z**2 / 30) * np.sqrt(accuracy * (1 - accuracy) / 30 + z**2 / 4 / 30**2)
    np.testing.assert_allclose(np.subtract(bins["high"], bins["low"]), wilson, rtol=1e-3)


def test_few_images_are_in_one_bin(evaluate):
    assert evaluate(2, 10).content["reliability"]["images"] == [20]


def test_the_reliability_before_calibration_is_that_of_temperature_1(ten):
    calibration = measured(ten.predictions, temperature=2.0)["calibration"]
    for key, temperature in (("error", 1.0), ("error_before", 2.0)):
        probabilities = softmax(temperature * np.log(ten.probabilities), axis=1)
        confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == ten.labels
        edges = np.linspace(0, 1, 16)
        bins = [(confidence > low) & (confidence <= high) for low, high in itertools.pairwise(edges)]
        gaps = [abs((confidence[one] - correct[one]).sum()) for one in bins]
        assert calibration[key] == pytest.approx(sum(gaps) / len(correct), abs=1e-4)
    assert sum(calibration["before"]["images"]) == 300
    assert calibration["error"] != pytest.approx(calibration["error_before"], abs=0.01)
    assert ten.content["calibration"] is None


def test_there_are_curves_of_the_classes_with_the_smallest_areas(ten):
    areas = {one["label"]: one["auc"] for one in ten.content["classes"]}
    assert list(ten.content["roc"]) == sorted(areas, key=lambda label: areas[label])[:6]
    for label, points in ten.content["roc"].items():
        x, y = zip(*points, strict=True)
        assert metrics.auc(x, y) == pytest.approx(areas[label], abs=0.01)
    for points in ten.content["precision_recall"].values():
        assert points[-1] == [0.0, 1.0]


def test_a_baseline_with_another_vocabulary_is_measured_on_the_same_images(ten):
    """The baseline's predictions are three of ten classes off, and it does not have the last class."""
    baseline = ten.predictions.baseline_outcomes()
    correct = baseline.predicted == ten.labels
    accuracy = {one["name"]: one for one in ten.content["metrics"]}["accuracy"]
    assert accuracy["difference"]["value"] == pytest.approx(accuracy["value"] - np.mean(correct))
    assert accuracy["difference"]["low"] > 0
    unknown = ten.labels == 9
    assert not baseline.correct[unknown].any()
    assert (baseline.label_probability[unknown] == 0).all()


def test_the_most_confident_mistakes_come_first_with_their_predictions(ten):
    shown = [ten.content["images"][str(one)] for one in ten.content["mistakes"]]
    assert len(shown) == 24
    confidences = [one["top_labels"][0][1] for one in shown]
    assert confidences == sorted(confidences, reverse=True)
    wrong = ten.probabilities.argmax(axis=1) != ten.labels
    assert confidences[0] == pytest.approx(float(ten.probabilities.max(axis=1)[wrong].max()))
    assert all(one["label"] != one["top_labels"][0][0] and one["map"] for one in shown)


def test_the_images_of_a_cell_have_its_classes(ten):
    for cell, inside in ten.content["cells"].items():
        label, predicted = (ten.predictions.labels[int(number)] for number in cell.split(","))
        for one in inside:
            image = ten.content["images"][str(one)]
            assert (image["label"], image["top_labels"][0][0]) == (label, predicted)


def test_every_cell_of_the_matrix_has_images(evaluate):
    content = evaluate(12, 60, noise=4).content
    counts = {
        f"{label},{predicted}": count
        for label, row in enumerate(content["confusion"])
        for predicted, count in enumerate(row)
        if count
    }
    assert len(counts) > 12 + 60
    for cell in counts:
        assert content["cells"][cell], cell
    label, predicted, count = content["top_confusions"][0]
    assert len(content["cells"][f"{label},{predicted}"]) == min(count, 6)


def test_if_there_are_too_many_cells_the_frequent_ones_have_images():
    random = np.random.default_rng(0)
    outcomes = Outcomes.of(random.integers(40, size=4000), random.dirichlet(np.ones(40), 4000))
    cells = {cell: inside for cell, inside in choose(outcomes).cells.items() if cell[0] != cell[1]}
    assert [len(inside) for inside in cells.values()] == [1] * 480
    counts = outcomes.confusion[~np.eye(40, dtype=bool)]
    assert sorted(outcomes.confusion[cell] for cell in cells) == sorted(counts)[-480:]


def test_slices_have_the_right_number_of_images(ten):
    slices = {(one["feature"], one["value"]): one for one in ten.content["slices"]}
    assert {key: one["images"] for key, one in slices.items()} == {
        ("camera", "left"): 150,
        ("camera", "right"): 150,
        ("size", "8 to 15"): 150,
        ("size", "32 to 63"): 150,
        ("size and camera", "8 to 15 and left"): 150,
        ("size and camera", "32 to 63 and right"): 150,
    }
    assert [one["value"] for one in ten.content["slices"] if one["feature"] == "size"] == ["8 to 15", "32 to 63"]
    left = slices["camera", "left"]["accuracy"]
    assert left["low"] < left["value"] < left["high"]


def test_few_images_of_a_class_give_a_warning(evaluate):
    note, warning = evaluate(2, 3).content["warnings"]
    assert note == "a note"
    assert warning.startswith("2 of 2 classes have fewer than 20 images")


def test_reading_the_file_again_gives_the_same(ten):
    again = Predictions(ten.folder / "predictions.parquet")
    assert again.labels == ten.predictions.labels
    np.testing.assert_array_equal(again.outcomes().predicted, ten.predictions.outcomes().predicted)
