"""The gate in both directions, in whole evaluations of small models, and its limits one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx import v1 as tfx

from efficientmixnet.components.evaluator.component import _Executor, evaluator
from efficientmixnet.components.evaluator.gate import Limit
from efficientmixnet.components.evaluator.slices import Slice, read_slices
from efficientmixnet.components.evaluator.verdict import Verdict, read_verdict
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput

BEAM = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]
ARTIFACTS = tfx.types.standard_artifacts
LABELS = ("cat", "dog")


class Classifier(tf.Module):
    """Predicts the class that the image's bytes name, but is wrong about some images."""

    def __init__(self, wrong: tuple[str, ...]) -> None:
        super().__init__()
        self._wrong = tf.constant(wrong or ("none",))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {n: tf.io.FixedLenFeature([], tf.string) for n in (features.ENCODED,)})
        encoded = parsed[features.ENCODED]
        is_dog = tf.strings.regex_full_match(encoded, "dog.*")
        is_wrong = tf.reduce_any(encoded[:, None] == self._wrong, axis=1)
        predicted = tf.cast(tf.math.logical_xor(is_dog, is_wrong), tf.int32)
        return {features.PROBABILITIES: tf.one_hot(predicted, 2) * 0.8 + 0.1}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform_features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {features.LABEL: tf.io.FixedLenFeature([], tf.string)})
        return {features.LABEL_ID: tf.cast(parsed[features.LABEL] == "dog", tf.int64)}


def images() -> list[tuple[str, str, str]]:
    """Returns label, camera and bytes of 40 cats and 40 dogs. The left camera took 5 of each."""
    return [(label, "left" if n < 5 else "right", f"{label} {n}") for label in LABELS for n in range(40)]


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> Any:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "Split-eval").mkdir()
    with tf.io.TFRecordWriter(str(folder / "Split-eval" / "images-00000-of-00001.gz"), "GZIP") as writer:
        for label, camera, encoded in images():
            example = tf.train.Example()
            weight = "3" if camera == "left" else "1.0"
            columns = {"camera": camera, "weight": weight, "note": "heavy"}
            for name, value in {features.LABEL: label, features.ENCODED: encoded, **columns}.items():
                example.features.feature[name].bytes_list.value.append(value.encode())
            writer.write(example.SerializeToString())
    artifact = ARTIFACTS.Examples()
    artifact.uri, artifact.split_names = str(folder), '["eval"]'
    return artifact


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Callable[..., Any]:
    """Exports a model that is wrong about the given images."""

    def make(*wrong: str) -> Any:
        folder = tmp_path_factory.mktemp("model")
        classifier = Classifier(wrong)
        signatures = {
            "serving_examples": classifier.classify_examples,
            "transform_features": classifier.transform_features,
        }
        tf.saved_model.save(classifier, str(folder / "Format-Serving"), signatures=signatures)
        artifact = ARTIFACTS.Model()
        artifact.uri, artifact.id = str(folder), 1
        return artifact

    return make


@pytest.fixture
def judged(examples, tmp_path) -> Callable[..., tuple[Verdict, Any]]:
    """Evaluates a model with some limits, and returns the verdict and the blessing."""

    def judge(candidate: Any, baseline: Any = None, **limits: Any) -> tuple[Verdict, Any]:
        kinds = (ARTIFACTS.Examples, ARTIFACTS.Model, ARTIFACTS.Model, ARTIFACTS.Schema)
        channels = (tfx.dsl.Channel(type=kind) for kind in kinds)
        component = evaluator(*channels, **{"thresholds": {}, "tolerances": {}} | limits)
        evaluation, blessing = ARTIFACTS.ModelEvaluation(), ARTIFACTS.ModelBlessing()
        evaluation.uri, blessing.uri = str(tmp_path / "evaluation"), str(tmp_path / "blessing")
        inputs = {"examples": [examples], "model": [candidate], "baseline_model": [baseline] if baseline else []}
        context = _Executor.Context(beam_pipeline_args=BEAM, tmp_dir=str(tmp_path), unique_id="1")
        _Executor(context).Do(inputs, {"evaluation": [evaluation], "blessing": [blessing]}, component.exec_properties)
        return read_verdict(evaluation.uri), blessing

    return judge


def is_blessed(blessing: Any) -> bool:
    files = {file.name for file in Path(blessing.uri).iterdir()}
    assert files in ({"BLESSED"}, {"NOT_BLESSED"})
    assert blessing.get_int_custom_property("blessed") == int(files == {"BLESSED"})
    return files == {"BLESSED"}


@pytest.mark.slow
def test_the_first_model_is_blessed_if_it_reaches_the_thresholds(judged, model):
    verdict, blessing = judged(
        model("cat 1"), thresholds={"accuracy": 0.9, "loss": 1.0}, tolerances={"accuracy": 0.0}, slices=[["lens"]]
    )
    assert is_blessed(blessing)
    assert verdict.blessed
    assert verdict.reason == (
        "accuracy 0.9875 reaches 0.9, loss 0.1328 stays within 1, no earlier model was blessed, so there is "
        "nothing to compare with, no image has lens (evaluation.slices)"
    )
    assert blessing.get_string_custom_property("reason") == verdict.reason
    assert verdict.metrics == pytest.approx(
        {
            "accuracy": 79 / 80,
            "loss": -(79 * np.log(0.9) + np.log(0.1)) / 80,
            "top_3": 1.0,
            "balanced_accuracy": 79 / 80,
            "macro_f1": (2 * 39 / 79 + 2 * 40 / 81) / 2,
            "calibration_error": 79 / 80 - 0.9,
            "example_count": 80,
        },
        abs=1e-6,
    )


def test_without_a_threshold_of_the_accuracy_even_a_perfect_model_is_refused(judged, model):
    """The pipeline sets one, unless a guess may be right about all images."""
    verdict, blessing = judged(model())
    assert not is_blessed(blessing)
    assert verdict.reason == (
        "80 evaluation images are too few to tell a model from a guess (add images, or set "
        "evaluation.thresholds.accuracy)"
    )


def test_a_better_model_is_blessed_and_a_worse_one_refused(judged, model, tmp_path):
    better, worse = model("cat 1"), model("cat 1", "dog 1", "dog 2")
    limits = {"thresholds": {"accuracy": 0.5}, "tolerances": {"accuracy": 0.01}}
    verdict, blessing = judged(better, worse, **limits)
    assert is_blessed(blessing)
    assert verdict.reason.endswith("no worse than the latest blessed model (0.9625)")
    for left in (tmp_path / "blessing").iterdir():
        left.unlink()
    verdict, blessing = judged(worse, better, **limits)
    assert not is_blessed(blessing)
    assert verdict.reason == (
        "accuracy 0.9625 is worse than the latest blessed model's 0.9875 by more than 0.01 "
        "(evaluation.tolerances.accuracy)"
    )


def test_a_large_slice_can_refuse_a_model_that_is_good_overall(judged, model):
    """Four of the left camera's five cats are wrong, but five images are too few. Four of all 40 cats are wrong."""
    verdict, blessing = judged(
        model("cat 0", "cat 1", "cat 2", "cat 3"),
        thresholds={"accuracy": 0.9},
        slices=[["camera"], ["camera", features.LABEL]],
        slice_thresholds={"accuracy": 0.92},
    )
    assert not is_blessed(blessing)
    assert verdict.reason == (
        "accuracy of label cat (40 images) 0.9000 does not reach 0.92 (evaluation.slice_thresholds.accuracy)"
    )
    assert blessing.get_string_custom_property("reason") == verdict.reason


@pytest.mark.slow
def test_the_minimum_slice_size_can_be_set(judged, model):
    verdict, _ = judged(
        model("cat 0", "cat 1"),
        model("cat 0"),
        slices=[["camera", features.LABEL]],
        slice_tolerances={"accuracy": 0.1},
        thresholds={"accuracy": 0.5},
        min_slice_size=5,
    )
    assert verdict.reason == (
        "accuracy of camera left and label cat (5 images) 0.6000 is worse than the latest blessed model's 0.8000 "
        "by more than 0.1 (evaluation.slice_tolerances.accuracy)"
    )


def test_images_are_weighted_by_the_column(judged, model):
    """Ten left images weigh 3 each, and seventy right ones 1. Only cat 0, which weighs 3 of 100, is wrong."""
    verdict, _ = judged(
        model("cat 0"), thresholds={"accuracy": 0.971}, weight="weight", intervals="jackknife", slices=[["camera"]]
    )
    assert verdict.reason == "accuracy 0.9700 does not reach 0.971 (evaluation.thresholds.accuracy)"
    assert verdict.metrics["loss"] == pytest.approx(-(97 * np.log(0.9) + 3 * np.log(0.1)) / 100, abs=1e-6)
    assert verdict.metrics["example_count"] == 80
    assert verdict.weight == "weight"
    # The sandwich estimate of the standard error of a weighted mean: one image with the weight 3 is wrong.
    error = np.sqrt((3 * 0.97) ** 2 + 9 * (3 * 0.03) ** 2 + 70 * 0.03**2) / 100
    low, high = verdict.intervals["accuracy"]
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.5)
    assert (low + high) / 2 == pytest.approx(0.97, abs=error)


@pytest.mark.slow
def test_a_weight_that_is_not_a_number_is_refused(judged, model):
    with pytest.raises(BadInput, match=r"evaluation\.weight: 'heavy' is not a weight"):
        judged(model("cat 0"), thresholds={"accuracy": 0.5}, weight="note")


@pytest.mark.slow
def test_a_weight_that_no_image_has_is_refused(judged, model):
    with pytest.raises(BadInput, match=r"evaluation\.weight: no image has lens; there are camera, image/"):
        judged(model("cat 0"), thresholds={"accuracy": 0.5}, weight="lens")


def _slice(value: float, images: int = 40, label: str = "", baseline: float | None = None, metric="accuracy") -> Slice:
    values = ((features.LABEL, label),) if label else ()
    return Slice(values, {metric: value, "example_count": images}, {} if baseline is None else {metric: baseline}, {})


@pytest.mark.parametrize(
    ("metric", "value", "threshold", "reason"),
    [
        ("accuracy", 0.97, 0.97, None),
        ("accuracy", 0.96, 0.97, "accuracy 0.9600 does not reach 0.97 (evaluation.thresholds.accuracy)"),
        ("accuracy", float("nan"), 0.0, "accuracy nan does not reach 0 (evaluation.thresholds.accuracy)"),
        ("loss", 0.5, 0.5, None),
        ("loss", 0.6, 0.5, "loss 0.6000 is above 0.5 (evaluation.thresholds.loss)"),
    ],
)
def test_accuracy_has_a_lowest_value_and_loss_a_highest(metric, value, threshold, reason):
    limit = Limit(metric, frozenset(), threshold, None)
    assert list(limit.misses([_slice(value, metric=metric)])) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("metric", "value", "baseline", "tolerance", "missed"),
    [
        ("accuracy", 0.9, 0.9, 0.0, False),
        ("accuracy", 0.899, 0.9, 0.0, True),
        ("accuracy", 0.899, 0.9, 0.01, False),
        ("accuracy", 0.95, 0.9, 0.0, False),
        ("loss", 0.7, 0.5, 0.2001, False),
        ("loss", 0.7, 0.5, 0.1, True),
        ("loss", 0.4, 0.5, 0.0, False),
    ],
)
def test_a_tolerance_allows_lower_accuracy_and_higher_loss(metric, value, baseline, tolerance, missed):
    limit = Limit(metric, frozenset(), None, tolerance)
    found = list(limit.misses([_slice(value, baseline=baseline, metric=metric)]))
    assert bool(found) == missed
    assert all(f"(evaluation.tolerances.{metric})" in reason for reason in found)


def test_a_tolerance_without_a_baseline_model_is_no_limit():
    assert not list(Limit("accuracy", frozenset(), None, 0.0).misses([_slice(0.1)]))


def test_only_the_worst_three_of_many_slices_are_named():
    slices = [_slice(number / 10, 30, f"class {number}") for number in (4, 1, 3, 2, 9)]
    first, second, third, more = Limit("accuracy", frozenset([features.LABEL]), 0.5, None).misses(slices)
    for number, reason in enumerate((first, second, third), 1):
        assert reason.startswith(f"accuracy of label class {number} (30 images) 0.{number}000 does not reach 0.5 (")
    assert more == "and 1 more (evaluation.slice_thresholds.accuracy)"


def test_macro_f1_is_neither_measured_nor_limited_in_a_slice_by_label(judged, model, tmp_path):
    limits = {"slice_thresholds": {"macro_f1": 0.99}, "slices": [["camera"]], "min_slice_size": 1}
    verdict, _ = judged(model("cat 1"), model(), **limits)
    assert not verdict.blessed
    assert verdict.reason.startswith("macro_f1 of camera left (10 images) 0.8990 does not reach 0.99 (")
    assert "label" not in verdict.reason
    slices = {one.features: one for one in read_slices(str(tmp_path / "evaluation"))}
    for values in (slices[frozenset([features.LABEL])].metrics, slices[frozenset([features.LABEL])].baseline):
        assert "accuracy" in values
        assert "macro_f1" not in values
    assert "macro_f1" in slices[frozenset(["camera"])].metrics
