"""Content: everything that the report page shows, as JSON, computed from the run's artifacts."""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from efficientmixnet.components.evaluator import intervals, measures
from efficientmixnet.components.evaluator.fraction import Interval, fraction
from efficientmixnet.components.evaluator.least_accuracy import guessing_accuracy, least_accuracy
from efficientmixnet.components.evaluator.measures import Outcomes
from efficientmixnet.components.report import gallery
from efficientmixnet.components.report.predictions import Predictions
from efficientmixnet.components.report.relabel import rows_to_check
from efficientmixnet.components.report.thumbnails import activation_maps, thumbnail
from efficientmixnet.components.report.write_predictions import Classifier, images_of
from efficientmixnet.modules import features
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.network.cost import summarize

_LABELS_OF_AN_IMAGE = 3
_AUC_VALUES = 20_000_000  # probabilities in memory at once, float32
_MOST_VALUES = 20  # of a feature that the page slices by
_TRADE_OFFS, _POINTS = 6, 80  # classes with a curve, and the points of a curve
_FEW = 20  # images of a class or of a bin; fewer are too few for a reliable value
_MOST_BINS = 10  # of confidence, in the chart


def measured(
    predictions: Predictions, crossings: Sequence[Sequence[str]] = (), temperature: float | None = None
) -> dict[str, Any]:
    """Returns everything that is computed from the predictions.

    Args:
        predictions: The predictions for the evaluation split.
        crossings: The slices of the configuration, each the features that it crosses.
        temperature: The temperature of the model's calibration; None: it is not calibrated.

    Returns:
        The measures with their intervals, the classes, confusions, calibration, slices and curves.
    """
    outcomes = predictions.outcomes()
    areas, area = _areas(predictions)
    return {
        **_metrics(predictions, outcomes, area),
        "classes": list(_classes(predictions.labels, outcomes, areas)),
        "confusion": outcomes.confusion.tolist() if outcomes.classes <= gallery.MOST_CELLS_CLASSES else None,
        "top_confusions": gallery.top_confusions(outcomes),
        "reliability": _reliability(outcomes),
        "calibration": _calibration(predictions, temperature, outcomes),
        "relabel": rows_to_check(predictions, outcomes),
        "slices": list(_slices(predictions, outcomes, crossings)),
        **_trade_offs(predictions, areas),
    }


def headline(predictions: Predictions) -> dict[str, Any]:
    """Returns the number of images, and the measures with their intervals.

    Args:
        predictions: The predictions for the test split.
    """
    return _metrics(predictions, predictions.outcomes(), _areas(predictions)[1])


def shown(
    predictions: Predictions, model: Classifier, files: Sequence[str], bands: Sequence[int] | None = None
) -> dict[str, Any]:
    """Returns the galleries: thumbnails with predictions, and activation maps of mistakes.

    Args:
        predictions: The predictions for the evaluation split.
        model: The candidate model.
        files: The records of the evaluation split.
        bands: The channels of an array to show as red, green and blue; None: the first three.
    """
    outcomes = predictions.outcomes()
    chosen = gallery.choose(outcomes)
    positions = np.array(chosen.all(), int)
    names = {int(position): str(predictions.names[position]) for position in positions}
    thumbnails, encoded_mistakes = {}, {}
    mistakes = {names[position] for position in chosen.mistakes}
    for name, encoded in images_of(files, frozenset(names.values())):
        thumbnails[name] = thumbnail(encoded, bands=bands)
        if name in mistakes:
            encoded_mistakes[name] = encoded
    predicted = {names[position]: model.labels[outcomes.predicted[position]] for position in chosen.mistakes}
    maps = activation_maps(model, encoded_mistakes, [predicted[name] for name in encoded_mistakes], bands)
    top_labels = predictions.of(positions, _LABELS_OF_AN_IMAGE)
    return {
        "images": {
            str(position): {
                "name": names[position],
                "source": thumbnails[names[position]],
                "label": model.labels[outcomes.labels[position]] if outcomes.labels[position] >= 0 else "?",
                "top_labels": top,
                "label_probability": float(outcomes.label_probability[position]),
                "correct": bool(outcomes.correct[position]),
                "map": maps.get(names[position]),
            }
            for position, top in zip(positions.tolist(), top_labels, strict=True)
        },
        "mistakes": chosen.mistakes,
        "confident": chosen.confident,
        "unconfident": chosen.unconfident,
        "cells": {f"{label},{name}": inside for (label, name), inside in chosen.cells.items()},
    }


def trained_on(
    config: Mapping[str, Any],
    statistics: str,
    splits: Sequence[str],
    left_out: Mapping[str, int],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Returns what the page shows of the data and the network.

    Args:
        config: The run's configuration.
        statistics: The folder of the statistics.
        splits: The names of the splits.
        left_out: By reason, how many images could not be read.
        warnings: The data's warnings.
    """
    by_split = {split: _labels(f"{statistics}/Split-{split}/FeatureStats.pb") for split in splits}
    return {
        "config": config,
        "network": _network(config, len(by_split["train"])),
        "splits": {split: sum(counts.values()) for split, counts in by_split.items()},
        "labels": {
            label: {split: counts.get(label, 0) for split, counts in by_split.items()} for label in by_split["train"]
        },
        "guessing": _guessing(by_split["train"], by_split["eval"]),
        "left_out": list(left_out.items()),
        "warnings": [*warnings, *_few_images(by_split["train"], by_split["eval"])],
    }


def _calibration(predictions: Predictions, temperature: float | None, outcomes: Outcomes) -> dict[str, Any] | None:
    """Returns the reliability that the model had before it was calibrated."""
    if temperature is None:
        return None
    before = predictions.uncalibrated_outcomes(temperature)
    return {
        "temperature": temperature,
        "error": measures.reliability(outcomes).calibration_error,
        "error_before": measures.reliability(before).calibration_error,
        "before": _reliability(before),
    }


def _reliability(outcomes: Outcomes) -> dict[str, list[float]]:
    """Returns the accuracy with its interval by confidence, in bins of as many images each."""
    bins = measures.reliability_of_equal_bins(outcomes, min(_MOST_BINS, max(1, len(outcomes) // _FEW)))
    found = [fraction(*map(int, one)) for one in zip(bins.correct, bins.images, strict=True)]
    return {
        "images": bins.images.tolist(),
        "confidence": bins.confidence.tolist(),
        "accuracy": bins.accuracy.tolist(),
        "low": [one.low for one in found],
        "high": [one.high for one in found],
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    found = dataclasses.asdict(interval)
    return {name: value if value is not None and math.isfinite(value) else None for name, value in found.items()}


def _metrics(predictions: Predictions, outcomes: Outcomes, area: Interval) -> dict[str, Any]:
    baseline = predictions.baseline_outcomes()
    rows = [
        {"name": name, **_interval(value), **({"difference": _interval(difference)} if difference else {})}
        for name, (value, difference) in intervals.with_intervals(outcomes, baseline).items()
    ]
    return {
        "images_evaluated": len(predictions),
        "has_baseline": baseline is not None,
        "metrics": [*rows, {"name": "auc", **_interval(area)}],
    }


def _areas(predictions: Predictions) -> tuple[np.ndarray, Interval]:
    """Returns the areas under the ROC curves; nan where the probabilities would take too much memory."""
    classes = len(predictions.labels)
    if len(predictions) * classes > _AUC_VALUES:
        return np.full(classes, np.nan), Interval(math.nan, math.nan, math.nan)
    return intervals.auc(*predictions.probabilities(range(classes)))


def _trade_offs(predictions: Predictions, areas: np.ndarray) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Returns ROC and precision-recall curves of the classes with the smallest areas."""
    from sklearn.metrics import precision_recall_curve, roc_curve  # takes a second to import

    worst = [int(one) for one in np.argsort(areas)[:_TRADE_OFFS] if math.isfinite(areas[one])]
    found: dict[str, dict[str, list[tuple[float, float]]]] = {"roc": {}, "precision_recall": {}}
    if worst:
        labels, probabilities = predictions.probabilities(worst)
        for number, scores in zip(worst, probabilities.T, strict=True):
            false_positive, true_positive, _ = roc_curve(labels == number, scores)
            precision, recall, _ = precision_recall_curve(labels == number, scores)
            found["roc"][predictions.labels[number]] = _thinned(false_positive, true_positive)
            found["precision_recall"][predictions.labels[number]] = _thinned(recall, precision)
    return found


def _thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    chosen = np.unique(np.linspace(0, len(x) - 1, _POINTS).astype(int))
    return list(zip(x[chosen].tolist(), y[chosen].tolist(), strict=True))


def _classes(labels: Sequence[str], outcomes: Outcomes, areas: np.ndarray) -> Iterator[dict[str, Any]]:
    by_class = outcomes.by_class
    for number, label in enumerate(labels):
        recall = fraction(int(by_class.correct[number]), int(by_class.images[number]))
        yield {
            "label": label,
            "images": int(by_class.images[number]),
            "predicted": int(by_class.predicted[number]),
            "precision": float(by_class.precision[number]) if by_class.predicted[number] else None,
            "recall": _interval(recall),
            "f1": float(by_class.f1[number]),
            "auc": None if math.isnan(areas[number]) else float(areas[number]),
        }


def _slices(
    predictions: Predictions, outcomes: Outcomes, crossings: Sequence[Sequence[str]]
) -> Iterator[dict[str, Any]]:
    for feature, values in _sliced(predictions, crossings):
        kinds, counts = np.unique(values, return_counts=True)
        if not 1 < len(kinds) <= _MOST_VALUES:
            continue
        for kind, count in sorted(zip(kinds.tolist(), counts.tolist(), strict=True), key=lambda one: _natural(one[0])):
            correct = int(outcomes.correct[values == kind].sum())
            yield {
                "feature": feature,
                "value": str(kind),
                "images": count,
                "accuracy": _interval(fraction(correct, count)),
                "loss": measures.log_loss(outcomes[values == kind]),
            }


def _sliced(predictions: Predictions, crossings: Sequence[Sequence[str]]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields each feature and crossing to slice by, with its values. SIZE covers width and height."""
    described = predictions.described
    for feature, values in described.items():
        if feature not in (features.HEIGHT, features.WIDTH):
            yield feature.removeprefix("image/"), values
    described = {**described, features.LABEL: predictions.true_labels}
    for crossing in crossings:
        if len(crossing) > 1 and set(crossing) <= set(described):
            columns = (described[feature].tolist() for feature in crossing)
            values = np.array([" and ".join(map(str, row)) for row in zip(*columns, strict=True)])
            yield " and ".join(feature.removeprefix("image/") for feature in crossing), values


def _natural(value: Any) -> tuple[int, str]:
    """Returns a sort key that orders "9 to 15" before "16 to 31"."""
    number = re.match(r"\d*", str(value))
    return int(number[0]) if number and number[0] else -1, str(value)


def _labels(statistics: str) -> dict[str, int]:
    """Returns the number of images by label."""
    # TFDV could read this too, but its import takes 100 MB.
    read = statistics_pb2.DatasetFeatureStatisticsList.FromString(tf.io.gfile.GFile(statistics, "rb").read())
    (dataset,) = read.datasets
    (label,) = (one for one in dataset.features if list(one.path.step) == [features.LABEL])
    return {bucket.label: int(bucket.sample_count) for bucket in label.string_stats.rank_histogram.buckets}


def _few_images(train: Mapping[str, int], evaluation: Mapping[str, int]) -> Iterator[str]:
    few = [label for label in train if evaluation.get(label, 0) < _FEW]
    if few:
        which = ", ".join(few[:5]) + (", ..." if len(few) > 5 else "")
        yield (
            f"{len(few)} of {len(train)} classes have fewer than {_FEW} images in the evaluation split ({which}): "
            "their values on this page are uncertain"
        )


def _guessing(train: Mapping[str, int], evaluation: Mapping[str, int]) -> dict[str, float | None]:
    accuracy, images = guessing_accuracy(train, evaluation), sum(evaluation.values())
    return {"accuracy": accuracy, "least": least_accuracy(accuracy, images), "all": accuracy**images}


def _network(config: Mapping[str, Any], classes: int) -> dict[str, Any]:
    network = ModelConfig.model_validate({"network": config["network"]}).network
    side = network.image_size or network.default_image_size
    input_shape = (side, side, config["data"].get("channels", 3))
    found = summarize(
        network.as_variant(),
        input_shape=input_shape,
        classes=classes,
        activation=network.activation,
        norm=network.placed_norm,
        squeeze_excite=network.squeeze_excite,
    )
    return {
        "name": found.name,
        "input": list(input_shape),
        "parameters": found.parameters,
        "trainable": found.trainable,
        "multiply_adds": found.multiply_adds,
        "stages": [dataclasses.asdict(stage) for stage in found.stages],
    }
